import GaleTesting
import Testing

@testable import Gale

/// Where an address has moved, as applications put it together.
private final class Moved: RequestHandler {
    override func get() async throws { try redirect("/" + pathParameter("rest", as: String.self), permanent: true) }
}

private final class Member: RequestHandler {
    override func get() async throws { try write(try await requireUser()) }
}

@Suite struct RedirectTests {
    private static var app: Application {
        var settings = Settings.quiet
        settings.loginURL = "/login"
        return Application(settings: settings) {
            Route("/moved/{rest...}", Moved.self)
            Route(get: "/old/{rest...}") { (rest: String) in Redirect("/\(rest)") }
            Route("/{any...}", Member.self)
        }
    }

    @Test(
        "Advisory A13, A38, A39: a path that was put together names no other host",
        arguments: [
            ("a/b?c=d", "/a/b"), ("", "/"), ("a//b", "/a//b"),
            ("%2fevil.example", "/evil.example"), ("/evil.example", "/evil.example"),
            ("/%2f//evil.example/", "/evil.example/"), ("%5cevil.example", "/%5Cevil.example"),
            ("%09/evil.example", "/%09/evil.example"),
            // To Swift these slashes are other characters than a bare one.
            ("%2f%ef%b8%8fevil.example", "/%EF%B8%8Fevil.example"), ("%2f%cc%81evil.example", "/%CC%81evil.example"),
        ])
    func paths(_ rest: String, _ location: String) async throws {
        try await Self.app.test { client in
            for (prefix, status) in [("/moved/", 301), ("/old/", 302)] {
                let response = try await client.get(prefix + rest)
                #expect(response.status == status)
                #expect(response.headers.all("Location") == [location])
            }
        }
    }

    @Test(
        "Advisory A5: no target of a redirect ends its line",
        arguments: ["%0d%0a", "%0a", "%0d", "%00", "%0d%0a%0d%0a"])
    func lines(_ end: String) async throws {
        try await Self.app.test { client in
            for prefix in ["/moved/", "/old/"] {
                let response = try await client.get("\(prefix)a\(end)Set-Cookie:%20b=c")
                #expect(response.headers["Location"] == "/a\(end.uppercased())Set-Cookie:%20b=c")
                #expect(response.headers["Set-Cookie"] == nil && response.body.isEmpty)
            }
        }
    }

    @Test("WEB-20: other sites are named with their scheme") func elsewhere() {
        for url in ["https://e.example//a", "http://e.example/?b=//c", "a//b", "?a", "", "/"] {
            #expect(PercentCoding.location(url) == url)
        }
        #expect(PercentCoding.location("//e.example/a") == "/e.example/a")
    }

    /// Applications that forget to look at `next` are none the worse for it.
    @Test(
        "DEC-03, Advisory A23: after the login nobody is sent to another host",
        arguments: [
            ("/page?a=b//c", "/page%3Fa%3Db//c"), ("//evil.example/", "/"), ("///evil.example", "/"),
            ("/\\evil.example", "/"),
        ])
    func login(_ target: String, _ next: String) async throws {
        try await Self.app.test { client in
            let response = try await client.get(target)
            #expect(response.status == 302)
            #expect(response.headers["Location"] == "/login?next=\(next)")
        }
    }

    @Test(
        "DEC-04, Advisory A23: where to go next",
        arguments: [
            ("/a?b=c", true), ("/", true), ("/\u{e9}", true), ("/a//b", true), ("//evil", false), ("/\\evil", false),
            ("http://evil", false), ("javascript:evil", false), ("evil", false), ("\\\\evil", false),
            (" //evil", false),
            ("/a b", false), ("", false), ("/\t/evil", false), ("/\u{85}/evil", false), ("/\0/evil", false),
            // Browsers leave these marks out of a host's name; to Swift they make another character of the slash.
            ("//\u{fe0f}evil", false), ("//\u{34f}evil", false), ("//\u{200d}evil", false), ("//\u{301}evil", false),
        ])
    func safeNext(_ target: String, _ isSafe: Bool) { #expect((SafeNext.check(target) != nil) == isSafe) }
}
