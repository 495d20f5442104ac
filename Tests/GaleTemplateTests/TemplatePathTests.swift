import Testing

@testable import GaleTemplate

@Suite("Paths")
struct TemplatePathTests {
    @Test(
        "TPL-17: resolution",
        arguments: [
            ("a", nil, "a"), ("a/b", nil, "a/b"), ("a//./b", nil, "a/b"), ("a/../b", nil, "b"), ("b", "dir/a", "dir/b"),
            ("../b", "dir/a", "b"), ("../x/b", "dir/sub/a", "dir/x/b"), ("b", "<string>", "b"), ("b", "/abs/a", "b"),
        ])
    func resolved(_ name: String, _ parent: String?, _ expected: String) throws {
        #expect(try TemplatePath.resolve(name, from: parent) == expected)
    }

    @Test(
        "TPL-17: refused",
        arguments: [
            ("..", nil), ("../a", nil), ("../../a", "dir/a"), ("a/../../b", nil), ("/a", nil), ("/a", "dir/a"),
            ("", nil), (".", nil), ("a\u{0}", nil), ("../a", "<string>"),
        ])
    func refused(_ name: String, _ parent: String?) {
        let error = #expect(throws: TemplateError.self) { try TemplatePath.resolve(name, from: parent) }
        #expect(error?.kind == .notFound)
    }
}
