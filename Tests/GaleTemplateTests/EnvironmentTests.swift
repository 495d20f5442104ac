import GaleTemplate
import Testing

/// Not Sendable, as a request's own objects are.
private final class Handler {
    var calls: [String] = []
    func token() -> String {
        calls.append("token")
        return "t<"
    }
}

private struct Teapot: Error {}

private final class Point: TemplateObject {
    func member(_ name: String) throws -> TemplateValue? {
        switch name {
        case "x": 3
        case "twice": .function(TemplateFunction { .int(try $0.int(0) * 2) })
        case "broken": throw TemplateError("no luck")
        default: nil
        }
    }

    var templateText: String? { "<point>" }
}

@Suite("Environment")
struct EnvironmentTests {
    @Test("TPL-21: functions and values of the framework, bound to objects that are not Sendable")
    func framework() throws {
        let handler = Handler()
        var environment = TemplateEnvironment()
        environment.functions["xsrf_form_html"] = { _ in .html("<input value=\"\(Escape.html(handler.token()))\">") }
        environment.functions["static_url"] = {
            .string("/static/" + (try $0.string(0)) + ($0.bool(1, "v") ? "?v" : ""))
        }
        environment.values["current_user"] = "Ann"
        environment.objects["request"] = { $0 == "path" ? "/p" : nil }
        environment.objects["handler"] = { _ in nil }
        environment.functions["handler.reverse_url"] = { .string("/" + (try $0.string(0))) }
        let source = """
            {{ xsrf_form_html() }}{{ static_url('a.js', v=True) }} {{ current_user }} {{ request.path }} \
            {{ handler.reverse_url('home') }}{% set f = static_url %}{{ f('x') }}
            """
        let text = try rendered(source, environment: environment)
        #expect(text == "<input value=\"t&lt;\">/static/a.js?v Ann /p /home/static/x")
        #expect(handler.calls == ["token"])
        #expect(failure("{{ request.nope }}", environment: environment) == "object has no member 'nope' at t.txt:1")
        #expect(failure("{{ request }}", environment: environment) == "an object can't be printed at t.txt:1")
        #expect(failure("{{ static_url }}", environment: environment)?.hasPrefix("a function can't be printed") == true)
    }

    @Test("TPL-21: values win over environment, environment over namespace, namespace over built-in functions")
    func order() throws {
        let options = TemplateOptions(namespace: ["a": "n", "b": "n", "c": "n", "len": "n"])
        var environment = TemplateEnvironment()
        environment.values = ["a": "e", "b": "e"]
        let text = try rendered(
            "{{ a }}{{ b }}{{ c }}{{ len }}", ["a": "v"], options: options, environment: environment)
        #expect(text == "venn")
    }

    @Test("TPL-13: module calls a UI module, its output is not escaped")
    func modules() throws {
        var environment = TemplateEnvironment()
        environment.modules["Entry"] = { .string("<p>" + (try $0.string(0)) + (try $0.string(1, "tag")) + "</p>") }
        let loader = DictionaryLoader(["sub.html": "\n{{ 1 / 0 }}", "ok.html": "<{{ x }}>"])
        environment.modules["Template"] = { arguments in
            .html(try loader.load(try arguments.string(0)).render(arguments.keywords))
        }
        #expect(try rendered("{% module Entry('a', tag='b') %}", environment: environment) == "<p>ab</p>")
        #expect(try rendered("{{ modules.Entry('a', 'b') }}", environment: environment) == "<p>ab</p>")
        #expect(try rendered("{% module Template('ok.html', x='&') %}", environment: environment) == "<&amp;>")
        let chained = failure("\n{% module Template('sub.html') %}", environment: environment)
        #expect(chained == "division by zero at sub.html:2 (via t.txt:2)")
        #expect(failure("{% module Nope() %}", environment: environment) == "module 'Nope' is not defined at t.txt:1")
        #expect(failure("{% module Entry %}") == "module needs 'Name(arguments)' at t.txt:1")
        #expect(failure("{% module %}") == "module needs 'Name(arguments)' at t.txt:1")
    }

    @Test("TPL-19: a Swift error from a function ends the render, can be told apart, and isn't swallowed by try")
    func foreignErrors() throws {
        var environment = TemplateEnvironment()
        environment.functions["brew"] = { _ in throw Teapot() }
        let template = try Template("\n{% try %}{{ brew() }}{% except %}{% end %}", name: "t")
        let error = #expect(throws: TemplateError.self) { try template.render(environment: environment) }
        #expect(error?.kind == .foreign)
        #expect(error?.line == 2)
        #expect(error?.file == "t")
        #expect(error?.underlying is Teapot)
    }

    @Test("TPL-07: an error that a function reports can be caught")
    func reportedErrors() throws {
        let fail = TemplateFunction { _ in throw TemplateError("no luck") }
        #expect(
            try rendered("{% try %}{{ f() }}{% except RuntimeError as e %}{{ e }}{% end %}", ["f": fail]) == "no luck")
        #expect(failure("{{ f() }}", ["f": fail]) == "no luck at t.txt:1")
    }

    @Test("TPL-23: objects answer member by member")
    func objects() throws {
        let values: [String: any TemplateConvertible] = ["p": TemplateValue.object(Point())]
        #expect(try rendered("{{ p.x }} {{ p['x'] }} {{ p.twice(4) }} {{ p }}", values) == "3 3 8 &lt;point&gt;")
        #expect(failure("{{ p.y }}", values) == "object has no member 'y' at t.txt:1")
        #expect(failure("{{ p.y() }}", values) == "object has no method 'y' at t.txt:1")
        #expect(failure("{{ p.broken }}", values) == "no luck at t.txt:1")
    }
}
