import Testing

@testable import Gale

@Suite struct URLTextTests {
    /// The facts of Tornado.
    @Test(
        "HU-09: fields at the end of the query",
        arguments: [
            ("https://localhost/path", ["y", "y", "z", "z"], "https://localhost/path?y=y&z=z"),
            ("https://localhost/path", ["y", "/y", "z", "z"], "https://localhost/path?y=%2Fy&z=z"),
            ("https://localhost/path?", ["y", "y", "z", "z"], "https://localhost/path?y=y&z=z"),
            ("https://localhost/path?x", ["y", "y", "z", "z"], "https://localhost/path?x=&y=y&z=z"),
            ("https://localhost/path?a=1&b=2", ["y", "y"], "https://localhost/path?a=1&b=2&y=y"),
            ("https://localhost/path?a=1&b=2&", ["y", "y"], "https://localhost/path?a=1&b=2&y=y"),
            ("https://localhost/path?r=1&t=2", [], "https://localhost/path?r=1&t=2"),
            ("https://localhost/path#tab", ["y", "y"], "https://localhost/path?y=y#tab"),
            ("https://localhost/path?r=1&r=2", ["y", "y"], "https://localhost/path?r=1&r=2&y=y"),
            ("/a?x=1#b?c", ["é &", "="], "/a?x=1&%C3%A9+%26=%3D#b?c"), ("", ["a", ""], "?a="),
            ("/a?\u{301}x&\u{301}=y#\u{301}", ["b", "="], "/a?\u{301}x=&\u{301}=y&b=%3D#\u{301}"),
        ])
    func adding(_ url: String, _ flat: [String], _ expected: String) {
        let fields = stride(from: 0, to: flat.count, by: 2).map { (flat[$0], flat[$0 + 1]) }
        #expect(URLText.adding(fields, to: url) == expected)
    }

    @Test(
        "HU-25: host and port",
        arguments: [
            ("example.com", "example.com", nil), ("example.com:80", "example.com", 80), ("[::1]:8080", "::1", 8080),
            ("[::1]", "::1", nil), ("a:0", "a", 0), ("a:", nil, nil), ("a:+1", nil, nil), ("a:65536", nil, nil),
            ("[::1", nil, nil), ("[::1]x", nil, nil), ("a:1:2", nil, nil), ("a:-1", nil, nil), ("a:٣", nil, nil),
        ] as [(String, String?, Int?)])
    func hostAndPort(_ text: String, _ host: String?, _ port: Int?) {
        let result = URLText.hostAndPort(text)
        #expect(result?.host == host && result?.port == port)
    }
}
