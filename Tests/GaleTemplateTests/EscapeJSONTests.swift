import GaleTemplate
import Testing

@Suite("Escape: JSON")
struct EscapeJSONTests {
    @Test("ESC-03: every row of the facts")
    func facts() throws {
        let rows = Facts.values("json_encode")
        #expect(rows.count == 4)
        for (value, expected) in rows { #expect(try Escape.jsonEncode(value) == expected) }
    }

    @Test(
        "ESC-03: forms of values",
        arguments: [
            ("\"\\/\u{8}\u{c}\n\r\t\u{1}\u{7f}", #""\"\\/\b\f\n\r\t\u0001\u007f""#),
            ("\u{1F600}", #""\ud83d\ude00""#), (["b": 1, "a": [nil, 1.5]], #"{"b": 1, "a": [null, 1.5]}"#),
            (.double(.infinity), "null"), (.double(.nan), "null"), (1e300, "1e+300"),
            (.int(.min), "-9223372036854775808"),
            (.html("<b></b>"), #""<b><\/b>""#), ("<</", #""<<\/""#), (true, "true"), ([:], "{}"), ([], "[]"),
        ] as [(TemplateValue, String)])
    func forms(_ value: TemplateValue, _ json: String) throws { #expect(try Escape.jsonEncode(value) == json) }

    @Test("ESC-03: Swift's own types")
    func convertible() throws {
        #expect(try Escape.jsonEncode(["b": [1, nil], "a": []] as [String: [Int?]]) == #"{"a": [], "b": [1, null]}"#)
    }

    @Test("ESC-03: what has no JSON form is an error")
    func noForm() {
        #expect(throws: TemplateError.self) { try Escape.jsonEncode(TemplateFunction { _ in 1 }) }
    }
}
