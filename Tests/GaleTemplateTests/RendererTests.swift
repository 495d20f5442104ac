import GaleTemplate
import Testing

@Suite("Renderer: directives")
struct RendererTests {
    @Test("TPL-06: break and continue leave the inner loop only, also through if, try and block")
    func loops() throws {
        let source = """
            {% for a in [1, 2] %}{% for b in [1, 2, 3] %}{% if b == 2 %}{% block x %}{% continue %}{% end %}{% end %}\
            {{ a }}{{ b }} {% try %}{% if b == 3 %}{% break %}{% end %}{% finally %}f{% end %}{% end %}{% end %}
            """
        #expect(try rendered(source) == "11 f13 f21 f23 f")
    }

    @Test("TPL-06: a loop over a map sees its keys, over a string its characters")
    func loopSources() throws {
        #expect(try rendered("{% for k in m %}{{ k }}{% end %}", ["m": ["b": 1, "a": 2]]) == "ab")
        #expect(try rendered("{% for k in m %}{{ k }}{% end %}", ["m": ["b": 1, "a": 2] as TemplateValue]) == "ba")
        #expect(try rendered("{% for c in 'aé' %}{{ c }}.{% end %}") == "a.é.")
        #expect(failure("{% for c in 3 %}{% end %}") == "int is not iterable at t.txt:1")
        #expect(failure("{% for a, b in [[1]] %}{% end %}") == "expected 2 values to unpack, got 1 at t.txt:1")
    }

    @Test("TPL-07: try keeps the output before the error, runs finally once, catches by name")
    func attempt() throws {
        let source = "{% try %}a{{ 1 / x }}b{% except ZeroDivisionError %}c{% else %}d{% finally %}e{% end %}"
        #expect(try rendered(source, ["x": 0]) == "ace")
        #expect(try rendered(source, ["x": 1]) == "a1.0bde")
        #expect(failure(source, ["x": "s"]) == "unsupported operands for /: int and string at t.txt:1")
        #expect(
            try rendered("{% try %}{{ q }}{% except NameError as e %}{{ e }}{% end %}")
                == "name &#x27;q&#x27; is not defined")
    }

    @Test(
        "TPL-07: parts of a try in the wrong order",
        arguments: [
            ("{% try %}{% end %}", "try without except or finally at t.txt:1"),
            ("{% try %}{% else %}{% end %}", "else after try at t.txt:1"),
            ("{% try %}{% finally %}{% except %}{% end %}", "except after finally at t.txt:1"),
            ("{% try %}{% finally %}{% finally %}{% end %}", "finally after finally at t.txt:1"),
            ("{% try %}{% except %}{% except %}{% end %}", "except after one that catches everything at t.txt:1"),
            ("{% try %}{% except Nope %}{% end %}", "unknown error name 'Nope' at t.txt:1"),
            ("{% if 1 %}{% else %}{% else %}{% end %}", "else after else at t.txt:1"),
            ("{% if 1 %}{% else %}{% elif 2 %}{% end %}", "elif after else at t.txt:1"),
            ("{% if 1 %}{% else x %}{% end %}", "else takes nothing behind it at t.txt:1"),
            ("{% for i in x %}{% else %}{% break %}{% end %}", "break outside {'for', 'while'} block at t.txt:1"),
        ])
    func wrongOrder(_ source: String, _ message: String) { #expect(failure(source) == message) }

    @Test("TPL-07: an error leaves includes, applies and blocks cleanly")
    func attemptAcrossFiles() throws {
        let files = [
            "a": "{% try %}{% include b %}{% except %}!{{ n }}{% end %}{% autoescape None %}{{ n }}\n{{ q }}",
            "b": "{% autoescape xhtml_escape %}{{ n }}{% apply squeeze %}lost{% include c %}{% end %}",
            "c": "{{ 1 / 0 }}",
        ]
        let template = try DictionaryLoader(files).load("a")
        let error = #expect(throws: TemplateError.self) { try template.render(["n": "<"]) }
        #expect(error?.description == "name 'q' is not defined at a:2")
        #expect(try template.render(["n": "<", "q": 1]) == "&lt;!<<\n1")
    }

    @Test("TPL-08: set reaches into includes and out of them")
    func set() throws {
        let files = ["a": "{% set x = 1 %}{% include b %}{{ x }}{{ y }}", "b": "{{ x }}{% set x = 2 %}{% set y = 3 %}"]
        #expect(try DictionaryLoader(files).load("a").render() == "123")
        #expect(try rendered("{% set x += 1 %}{{ x }}", ["x": 1]) == "2")
        #expect(failure("{% set x.y = 1 %}") == "set needs 'name = expression' at t.txt:1")
        #expect(failure("{% set a, b += 1 %}") == "'+=' needs a single name at t.txt:1")
    }

    @Test("TPL-10: apply gets escaped text, and its result is not escaped again")
    func apply() throws {
        let shout = TemplateFunction.text({ $0.uppercased() })
        #expect(try rendered("{% apply shout %}<b>{{ x }}</b>{% end %}", ["shout": shout, "x": "<"]) == "<B>&LT;</B>")
        #expect(
            try rendered("{% apply linkify %}http://a.com/{% end %}") == "<a href=\"http://a.com/\">http://a.com/</a>")
        #expect(try rendered("{% apply squeeze %} a {% apply url_escape %}b c{% end %} {% end %}") == "a b+c")
        #expect(failure("{% apply nope %}x{% end %}") == "name 'nope' is not defined at t.txt:1")
        #expect(failure("{% apply n %}x{% end %}", ["n": 1]) == "int can't be called at t.txt:1")
    }

    @Test("TPL-11: extends may stand anywhere on the top level, once")
    func extends() throws {
        let files = [
            "base": "[{% block x %}b{% end %}]", "page": "dropped {% block x %}p{% end %}\n{% extends base %}",
        ]
        #expect(try DictionaryLoader(files).load("page").render() == "[p]")
        #expect(failure("{% if 1 %}{% extends a %}{% end %}") == "extends inside a block at t.txt:1")
        #expect(failure("{% extends a %}{% extends b %}") == "extends given twice at t.txt:1")
    }

    @Test("TPL-11: blocks of included files can be replaced; an included file's own extends is not followed")
    func blocksOfIncludes() throws {
        let files = [
            "base": "{% include part %}", "part": "<{% block x %}part{% end %}>{% extends nowhere %}",
            "page": "{% extends base %}{% block x %}page{% end %}",
        ]
        #expect(try DictionaryLoader(files).load("page").render() == "<page>")
        #expect(try DictionaryLoader(files).load("base").render() == "<part>")
    }

    @Test("TPL-15: escaping functions of one's own, and names that can't be taken over")
    func autoescape() throws {
        let star = TemplateFunction.text({ "*\($0)*" })
        #expect(try rendered("{% autoescape star %}{{ x }}{{ 1 }}{% raw x %}", ["star": star, "x": "<"]) == "*<**1*<")
        #expect(try rendered("{{ x }}", ["x": "<", "xhtml_escape": TemplateFunction.text({ $0 })]) == "&lt;")
        #expect(failure("{% autoescape nope %}{{ 1 }}") == "name 'nope' is not defined at t.txt:1")
        let options = TemplateOptions(autoescape: nil)
        #expect(try rendered("{{ x }}", ["x": "<"], options: options) == "<")
        let namespace = TemplateOptions(autoescape: "star", namespace: ["star": .function(star)])
        #expect(try rendered("{{ x }}", ["x": "<"], options: namespace) == "*<*")
    }

    @Test(
        "TPL-19: runtime errors name their lines",
        arguments: [
            (["test.html": "a\n{{ 1 / 0 }}"], "test.html", "test.html:2"),
            (
                ["base.html": "{% include sub.html %}", "sub.html": "{{ 1 / 0 }}"], "base.html",
                "sub.html:1 (via base.html:1)"
            ),
            (
                ["a.html": "{% include b.html %}", "b.html": "{% include c.html %}", "c.html": "{{ 1 / 0 }}"], "a.html",
                "c.html:1 (via b.html:1, a.html:1)"
            ),
            (
                ["base.html": "{{ 1 / 0 }}", "sub.html": "\n{% extends base.html %}\n{% block main %}{% end %}"],
                "sub.html", "base.html:1"
            ),
            (
                [
                    "base.html": "{% block 'block' %}{% end %}",
                    "sub.html": "\n{% extends 'base.html' %}\n{% block 'block' %}\n{{ 1 / 0 }}\n{% end %}\n",
                ], "sub.html", "sub.html:4 (via base.html:1)"
            ),
            (["t": "{% for i in [1, 0] %}\n{% if 1 / i %}\n{% end %}\n{% end %}"], "t", "t:2"),
            (["t": "{% set n = 1 %}\n{% while 1 / n %}\n{% set n = 0 %}\n{% end %}"], "t", "t:2"),
            (["t": "{% if 0 %}\n{% elif 1 / 0 %}\n{% end %}"], "t", "t:2"),
            (["t": "{% try %}\n{{ 1 / 0 }}\n{% finally %}\n{% set x = 1 %}\n{% end %}"], "t", "t:2"),
            (
                ["a": "{% try %}{% include b %}{% except KeyError %}{% finally %}x{% end %}", "b": "\n{{ 1 / 0 }}"],
                "a",
                "b:2 (via a:1)"
            ),
            (
                ["a": "\n{% include b %}", "b": "{% try %}{% include c %}{% finally %}x{% end %}", "c": "{{ 1 / 0 }}"],
                "a",
                "c:1 (via b:1, a:2)"
            ),
        ])
    func runtimeErrors(_ files: [String: String], _ main: String, _ place: String) throws {
        let error = try #require(failure(loading: main, from: files))
        #expect(error.description == "division by zero at \(place)")
        #expect(error.kind == .zeroDivision)
    }

    @Test("TPL-19: an element that can't be spread is reported at the head of the loop, in any round")
    func loopHeadLine() {
        let message = failure("{% for a, b in [[1, 2], [3]] %}\n\n{{ a }}{% end %}")
        #expect(message == "expected 2 values to unpack, got 1 at t.txt:1")
    }

    @Test("TPL-22: the result is UTF-8 bytes or a string, and a template renders on many threads at once")
    func threads() async throws {
        let template = try Template("{% for i in xs %}{{ i }}é{% end %}")
        #expect(try template.renderBytes(["xs": [1]]) == [0x31, 0xC3, 0xA9])
        try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<50 { group.addTask { try template.render(["xs": [number, number]]) } }
            var results: Set<String> = []
            for try await text in group { results.insert(text) }
            #expect(results.count == 50)
        }
    }
}
