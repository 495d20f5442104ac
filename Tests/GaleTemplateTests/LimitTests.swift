import GaleTemplate
import Testing

/// TPL-23: no template can exhaust the stack, the memory or the clock.
@Suite("Limits")
struct LimitTests {
    private static func times(_ count: Int, _ text: String) -> String { String(repeating: text, count: count) }

    @Test(
        "TPL-23: deep expressions are refused while parsing",
        arguments: [
            times(20_000, "(") + "1" + times(20_000, ")"), times(20_000, "["), times(20_000, "{'a':"),
            times(20_000, "not ") + "1", times(20_000, "-") + "1", "x" + times(20_000, ".a"),
            "x" + times(20_000, "[0]"),
            "x" + times(20_000, "()"), "x" + times(20_000, ".a()"), times(20_000, "x["), times(20_000, "f("),
            times(20_000, "1 if 1 else ") + "1", times(20_000, "[x for x in "),
        ])
    func deepExpression(_ source: String) throws {
        let message = try #require(failure("{{ \(source) }}"))
        #expect(message == "expression nested too deeply at t.txt:1")
    }

    @Test("TPL-23: long flat expressions are fine")
    func longExpression() throws {
        #expect(try rendered("{{ 1" + Self.times(50_000, " + 1") + " }}") == "50001")
        #expect(try rendered("{{ 1" + Self.times(50_000, " and 1") + " }}") == "1")
        #expect(try rendered("{{ 0" + Self.times(50_000, " or 0") + " or 7 }}") == "7")
        #expect(try rendered("{{ 1" + Self.times(50_000, " == 1") + " }}") == "True")
        #expect(try rendered("{{ [1" + Self.times(50_000, ", 1") + "][-1] }}") == "1")
    }

    @Test(
        "TPL-23: deep blocks are refused while parsing",
        arguments: ["{% if 1 %}", "{% for i in x %}", "{% while 1 %}", "{% try %}", "{% apply f %}", "{% block b %}"])
    func deepBlocks(_ directive: String) throws {
        let message = try #require(failure(Self.times(20_000, directive)))
        #expect(message.hasPrefix("blocks nested too deeply at t.txt:1"))
    }

    @Test("TPL-23: nesting up to the bound renders")
    func nestingAtTheBound() throws {
        #expect(try rendered(Self.times(60, "{% if 1 %}") + "x" + Self.times(60, "{% end %}")) == "x")
        #expect(try rendered("{{ " + Self.times(30, "(") + "1" + Self.times(30, ")") + " }}") == "1")
        #expect(try rendered("{{ " + Self.times(30, "[") + "1" + Self.times(30, "]") + " }}").count == 61)
    }

    @Test("TPL-12: include cycles, direct, through others, and from a block that is never shown")
    func includeCycle() throws {
        #expect(
            failure(loading: "a", from: ["a": "\n{% include a %}"])?.description == "include cycle through 'a' at a:2")
        let files = ["a": "{% include b %}", "b": "{% include c %}", "c": "x\n{% include a %}"]
        #expect(failure(loading: "a", from: files)?.description == "include cycle through 'a' at c:2")
    }

    @Test("TPL-11: extends cycles")
    func extendsCycle() {
        #expect(failure(loading: "a", from: ["a": "{% extends a %}"])?.message == "extends cycle through 'a'")
        let files = ["a": "{% extends b %}", "b": "{% extends c %}", "c": "{% extends b %}"]
        #expect(failure(loading: "a", from: files)?.description == "extends cycle through 'b' at c:1")
    }

    @Test("TPL-11, TPL-12: long chains")
    func longChains() {
        var files = ["0": "x"]
        for number in 1...500 { files[String(number)] = "{% include \(number - 1) %}" }
        #expect(failure(loading: "500", from: files)?.message == "includes nested too deeply")
        #expect(failure(loading: "49", from: files) == nil)
        for number in 1...500 { files[String(number)] = "{% extends \(number - 1) %}" }
        #expect(failure(loading: "500", from: files)?.message == "extends chain too long")
        #expect(failure(loading: "49", from: files) == nil)
    }

    @Test("TPL-11: a block that includes the file whose block it replaces is no endless loop: the last one counts")
    func blockRecursion() throws {
        let files = [
            "base": "[{% block x %}b{% end %}]", "page": "{% extends base %}{% block x %}{% include base %}{% end %}",
        ]
        #expect(try DictionaryLoader(files).load("page").render() == "[b]")
    }

    @Test("TPL-12: files that include each other twice don't multiply at compile time")
    func doublingIncludes() throws {
        var files = ["0": "x"]
        for number in 1...45 { files[String(number)] = "{% include \(number - 1) %}{% include \(number - 1) %}" }
        let loader = DictionaryLoader(files, options: TemplateOptions(limits: TemplateLimits(steps: 10_000)))
        let template = try loader.load("45")
        let error = #expect(throws: TemplateError.self) { try template.render() }
        #expect(error?.kind == .limit)
        #expect(try loader.load("3").render() == "xxxxxxxx")
    }

    @Test(
        "TPL-23: endless work ends",
        arguments: [
            "{% while True %}{% end %}", "{% while True %}{% try %}{{ 1 / 0 }}{% except %}{% end %}{% end %}",
            "{% try %}{% while True %}{% end %}{% except %}{% end %}", "{{ range(1000000000) }}",
            "{% for i in range(100000) %}{% for j in range(100000) %}{% end %}{% end %}",
            "{{ [i for i in range(1000000000)] }}", "{{ 'x' * 1000000000000 }}", "{{ 1000000000000 * 'x' }}",
            "{% set s = 'x' %}{% while True %}{% set s = s + s %}{% end %}",
            "{% set s = [1] %}{% while True %}{% set s = s + s %}{% end %}",
            "{% set s = [1] %}{% while True %}{% set s = [s] %}{% end %}",
            "{% set s = {} %}{% while True %}{% set s = {'a': s} %}{% end %}",
            "{% set s = [1] %}{% for i in range(50) %}{% set s = [s, s] %}{% end %}{{ s }}",
            "{% set s = [1] %}{% for i in range(50) %}{% set s = [s, s] %}{% end %}{{ json_encode(s) }}",
            "{% set s = [1] %}{% set t = [1] %}{% for i in range(50) %}{% set s = [s, s] %}{% set t = [t, t] %}{% end %}"
                + "{{ s == t }}",
            "{% set s = 'x' * 1000 %}{% while True %}{% set s = s.replace('x', s) %}{% end %}",
            "{% set s = 'x' * 1000 %}{% while True %}{% set s = s.join(['a', 'b', s]) %}{% end %}",
            "{% while True %}\(times(5000, "0123456789")){% end %}",
            "{% set s = ' %s ' %}{% while True %}"
                + "{% set s = s % s %}{% set s = s.replace(' ', '%s', 1) + s %}{% end %}",
            "{% set s = '<' * 100000 %}{% while True %}{% set s = escape(s) + '' %}{% end %}",
        ])
    func endless(_ source: String) throws {
        let options = TemplateOptions(limits: TemplateLimits(steps: 200_000, outputBytes: 1 << 20))
        let error = #expect(throws: TemplateError.self) { try rendered(source, options: options) }
        #expect(error?.kind == .limit || error?.message.contains("format") == true, "\(String(describing: error))")
    }

    @Test("TPL-23: values that the host nests too deeply are an error, not a crash")
    func deepHostValue() throws {
        var value = TemplateValue.list([])
        for _ in 0..<1000 { value = .list([value]) }
        #expect(failure("{{ x }}", ["x": value])?.hasPrefix("value is too large to print") == true)
        #expect(failure("{{ json_encode(x) }}", ["x": value])?.hasPrefix("value is nested too deeply") == true)
        #expect(failure("{{ x == x }}", ["x": value])?.hasPrefix("value is too large to compare") == true)
        #expect(failure("{{ [x] }}", ["x": value])?.hasPrefix("list nested too deeply") == true)
    }

    @Test("TPL-01..03, ESC-06: compiling and escaping are linear in the input")
    func linear() throws {
        let clock = ContinuousClock()
        let inputs = [
            Self.times(100_000, "{{!"), Self.times(100_000, "{#a#}"), Self.times(300_000, "{ "),
            Self.times(100_000, "{{ x }}"), Self.times(100_000, " \n"), Self.times(60_000, "<pr"),
            (0..<50_000).map { "{% set v\($0) = 1 %}" }.joined(),
        ]
        for input in inputs {
            let time = try clock.measure { _ = try Template(input, name: "t.html") }
            #expect(time < .seconds(60), "\(input.prefix(10))")
        }
        for input in ["&", "http://a(", "www.", "a:/,,", "((((", "-", "a-", "http://a.b/((((a)", "é", "&amp"] {
            let time = clock.measure {
                _ = Escape.linkify(Self.times(50_000, input))
                _ = Escape.htmlUnescape(Self.times(100_000, input))
            }
            #expect(time < .seconds(60), "\(input)")
        }
        let time = try clock.measure {
            _ = try rendered("{{ ('a' * 200000 + 'b') in 'a' * 400000 }}{{ len(('a' * 400000).split('aaab')) }}")
        }
        #expect(time < .seconds(5))
    }
}
