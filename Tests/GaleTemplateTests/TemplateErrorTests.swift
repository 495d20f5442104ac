import GaleTemplate
import Testing

@Suite("Errors")
struct TemplateErrorTests {
    @Test("TPL-18: an error without a place is its message; with one it says so")
    func description() {
        let error = TemplateError("no luck")
        #expect(error.description == "no luck")
        #expect(error.kind == .runtime && error.position == nil && error.file == "" && error.line == 0)
        #expect(TemplateError.Position(file: "a", line: 3).description == "a:3")
    }

    @Test(
        "TPL-07, TPL-19: kinds and the names that catch them",
        arguments: [
            ("q", TemplateError.Kind.name, "NameError"), ("{}['q']", .key, "KeyError"), ("[][0]", .index, "IndexError"),
            ("1 .q", .attribute, "AttributeError"),
            ("1()", .type, "TypeError"), ("int('x')", .value, "ValueError"),
            ("1/0", .zeroDivision, "ZeroDivisionError"),
            ("9223372036854775807+1", .overflow, "OverflowError"), ("[][0]", .index, "LookupError"),
            ("1/0", .zeroDivision, "ArithmeticError"),
        ])
    func kinds(_ expression: String, _ kind: TemplateError.Kind, _ name: String) throws {
        let error = #expect(throws: TemplateError.self) { try rendered("{{ \(expression) }}") }
        #expect(error?.kind == kind)
        #expect(try rendered("{% try %}{{ \(expression) }}{% except \(name) %}c{% end %}") == "c")
        #expect(
            try rendered("{% try %}{{ \(expression) }}{% except RuntimeError %}r{% except Exception %}c{% end %}")
                == "c")
    }
}
