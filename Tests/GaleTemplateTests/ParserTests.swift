import GaleTemplate
import Testing

@Suite("Lexer, parser, whitespace")
struct ParserTests {
    @Test(
        "TPL-01..04, TPL-09: tags",
        arguments: [
            ("{{1}}{{ 2 }}{{\n3\n}}", "123"), ("{{!x}}{%! y %}{#! z", "{{x}}{% y %}{# z"), ("{{{{1}}}}", "{{1}}"),
            ("{{{1}}}", "{1}"),
            ("{ {{1}} }", "{ 1 }"), ("a{b{", "a{b{"), ("{#{{ x }}\n{% if %}#}a{##}b", "ab"),
            ("{%comment x%}{% comment %}a", "a"),
            ("{%if 1%}a{%end%}", "a"), ("{% if\n1\t%}a{%\tend\n%}", "a"), ("{% raw '<' %}{{ '<' }}", "<&lt;"),
            ("é{{ 'é' }}", "éé"),
            ("{{ \"a'b\" }}", "a&#x27;b"), ("{{ '\\'\\\"\\\\\\n\\q' }}", "&#x27;&quot;\\\n\\q"), ("", ""),
        ])
    func tags(_ source: String, _ expected: String) throws { #expect(try rendered(source) == expected) }

    @Test("TPL-01: the first }} ends an expression, also within a string")
    func firstEnd() {
        #expect(failure("{{ '}}' }}") == "unterminated string literal at t.txt:1")
        #expect(failure("{% raw '%}' %}") == "unterminated string literal at t.txt:1")
    }

    @Test("TPL-12: quotes around names may be left out, and may be single")
    func quotes() throws {
        for name in ["b", "'b'", "\"b\""] {
            #expect(try DictionaryLoader(["a": "{% include \(name) %}", "b": "x"]).load("a").render() == "x")
            #expect(try DictionaryLoader(["a": "{% extends \(name) %}", "b": "y"]).load("a").render() == "y")
        }
    }

    @Test(
        "TPL-18: lines are counted over texts, comments and tags",
        arguments: [("\n\n{{ q }}", 3), ("{#\n\n#}{{ q }}", 3), ("{% if 1\n%}\n{{ q }}{% end %}", 3)])
    func lines(_ source: String, _ line: Int) throws {
        let error = #expect(throws: TemplateError.self) { try rendered(source) }
        #expect(error?.line == line)
    }

    @Test("TPL-14: Python's imports are refused with advice", arguments: ["import", "from"])
    func imports(_ directive: String) {
        #expect(
            failure("{% \(directive) os %}")
                == "\(directive) is not supported: register functions on the loader at t.txt:1")
    }

    @Test("TPL-15: autoescape without a function")
    func autoescapeMissing() { #expect(failure("{% autoescape %}") == "autoescape missing function at t.txt:1") }

    @Test(
        "TPL-16: modes",
        arguments: [
            (WhitespaceMode.all, " a \t b \n\n c ", " a \t b \n\n c "), (.single, " a \t b \n\n c ", " a b\nc "),
            (.oneline, " a \t b \n\n c ", " a b c "), (.single, "a \r\n b\r c", "a\nb\r c"),
            (.oneline, "a\u{a0} \u{b}b", "a\u{a0} b"),
            (.single, "a  <pre>  b", "a  <pre>  b"), (.oneline, "a  <pre >\n\nb", "a <pre > b"), (.single, "", ""),
        ])
    func whitespace(_ mode: WhitespaceMode, _ source: String, _ expected: String) throws {
        #expect(try rendered(source, options: TemplateOptions(whitespace: mode)) == expected)
    }

    @Test(
        "TPL-16: the mode of a file is chosen by its name",
        arguments: [("a.html", "x y"), ("a.js", "x y"), ("a.txt", "x  y"), ("html", "x  y")])
    func whitespaceByName(_ name: String, _ expected: String) throws {
        #expect(try rendered("x  y", name: name) == expected)
    }
}
