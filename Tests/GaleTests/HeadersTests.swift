import Testing

@testable import Gale

@Suite struct HeadersTests {
    @Test("HU-01: names without case, in the usual spelling, in order") func map() throws {
        var headers = try Headers([
            ("content-TYPE", "a"), ("x-B2-c", "1"), ("Set-cookie", "a=1"), ("SET-COOKIE", "b=2"),
        ])
        #expect(headers.map(\.name) == ["Content-Type", "X-B2-C", "Set-Cookie", "Set-Cookie"])
        #expect(headers["CONTENT-type"] == "a" && headers["set-cookie"] == "a=1,b=2" && headers["none"] == nil)
        #expect(headers.all("set-cookie") == ["a=1", "b=2"] && headers.first("set-cookie") == "a=1")
        let copy = headers
        try headers.set("set-cookie", "c=3")
        #expect(headers.map(\.value) == ["a", "1", "c=3"] && copy.count == 4 && copy != headers)
        headers.remove("x-b2-c")
        #expect(!headers.contains("X-B2-C") && headers.count == 2)
        #expect(try Headers(parsing: headers.description) == headers)
        #expect(throws: HeaderError.self) { try headers.set("X", "a\r\nb") }
        #expect(!headers.contains("X"))
    }

    /// The facts of Tornado, but for folded lines, which are refused (HU-04).
    @Test(
        "HU-02, HU-03, HU-04: reading",
        arguments: [
            ("foo-bar:  x  ", ["Foo-Bar", "x"]),
            ("Transfer-Encoding: \u{a0}chunked", ["Transfer-Encoding", "\u{a0}chunked"]),
            ("CRLF: a\r\nLF: b\nMore: c\r\n", ["Crlf", "a", "Lf", "b", "More", "c"]),
            ("A: 1\r\na: 2\r\n", ["A", "1", "A", "2"]),
            ("Foo: bar\r\n baz\r\n", nil), ("Foo: bar\r\n\u{c}asdf", nil), ("Foo : bar", nil), ("Foo\r\n", nil),
            (": x", nil), ("F o: x", nil), ("Foo: a\u{7f}b", nil), ("CR: a\rMore: b\r\n", nil), ("", []),
        ] as [(String, [String]?)])
    func reading(_ text: String, _ expected: [String]?) {
        #expect((try? Headers(parsing: text))?.flatMap { [$0.name, $0.value] } == expected, "\(text)")
    }

    @Test(
        "HU-02: what is no name",
        arguments: ["", "foo bar", "foo\tbar", "foo\nbar", "foo\0bar", "foo ", " foo", "\u{e9}", "a:b"])
    func names(_ name: String) {
        var headers = Headers()
        #expect(throws: HeaderError.self) { try headers.add(name, "x") }
        #expect(headers.isEmpty)
    }

    /// By looking at the fields before it, each, this would take hours.
    @Test("HU-05, Advisory A21: adding looks at no other field", .timeLimit(.minutes(5)))
    func many() throws {
        var headers = Headers()
        for index in 0..<1_000_000 { try headers.add("Cookie", "\(index)") }
        #expect(headers.count == 1_000_000 && headers.all("cookie").last == "999999")
    }
}
