import GaleTemplate
import Testing

@Suite("Printing")
struct OutputTests {
    @Test(
        "TPL-01: forms of values",
        arguments: [
            (.none, ""), (true, "True"), (false, "False"), (.int(.min), "-9223372036854775808"), (0, "0"),
            (1.0, "1.0"),
            (-0.5, "-0.5"), (1e16, "1e+16"), (["a", nil, 1.5, true], "['a', None, 1.5, True]"),
            (["k": ["x": 1]], "{'k': {'x': 1}}"),
            (["it's"], "[\"it's\"]"), (["'\""], "['\\'\"']"), (["\n\r\t\u{1}\\"], "['\\n\\r\\t\\x01\\\\']"), ([], "[]"),
            ([:], "{}"),
        ] as [(TemplateValue, String)])
    func forms(_ value: TemplateValue, _ expected: String) throws {
        #expect(try rendered("{% raw x %}", ["x": value]) == expected)
        #expect(try rendered("{{ x }}", ["x": value]) == Escape.html(expected))
    }

    @Test(
        "ESC-01: escaping where the special characters stand in a row, at the ends, or nowhere",
        arguments: [
            "", "a", "<", "<<>>", "a<", "<a", "é<é>", "&amp;", String(repeating: "x&", count: 1000),
            String(repeating: "é", count: 999) + "'",
        ])
    func escaping(_ text: String) throws {
        let expected = text.map {
            ["<": "&lt;", ">": "&gt;", "&": "&amp;", "\"": "&quot;", "'": "&#x27;"][$0] ?? String($0)
        }.joined()
        #expect(Escape.html(text) == expected)
        var output: [UInt8] = [1, 2]
        Escape.html(text, into: &output)
        #expect(output == [1, 2] + Array(expected.utf8))
        #expect(Escape.htmlUnescape(expected) == text)
    }
}
