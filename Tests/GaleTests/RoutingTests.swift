import Gale
import GaleTesting
import Testing

private struct User: Codable, Sendable, Equatable {
    var name: String
}

private final class Named: RequestHandler {
    override func get() async throws { try write("a class") }
    override func put() async throws { try write("not to be had") }
}

private func routes() -> Application {
    Application(settings: .quiet) {
        Route(get: "/ping") { "pong" }
        Route(get: "/async") { () async throws in "later" }
        Route(get: "/users/{id}", name: "user") { (id: Int) in "user \(id)" }
        Route(get: "/text/{text}") { (text: String) in text }
        Route(get: "/digits/{id:int}") { (id: String) in id }
        Route(get: "/two/{a}/x/{b}.json", name: "two") { (a: String, b: Int) in "\(a) \(b)" }
        Route(get: "/rest/{path...}", name: "rest") { (path: String) in "[\(path)]" }
        Route(post: "/users") { (user: JSON<User>) in user }
        Route(put: "/users/{id}") { (id: Int, request: Request) async throws in "\(id) \(request.body.count)" }
        Route(delete: "/users/{id}") { (_: Int) in Status(204) }
        Route(get: "/html") { HTML("<p>") }
        Route(get: "/away") { Redirect("/a b\u{e9}") }
        Route(get: "/bytes") { [UInt8](repeating: 7, count: 3) }
        Route(get: "/nothing") { () -> String? in nil }
        Route(get: "/fails") { () throws -> String in throw HTTPError(418) }
        if true { Route(any: "/any") { (request: Request) in request.method } }
        for name in ["a", "b"] { Route(get: "/loop/\(name)") { name } }
        Route(get: "/class", Named.self)
        Route(post: "/class") { "a closure" }
        Group("/group") { Route(get: "/inner") { "inner" } }
    }
}

@Suite struct RoutingTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let method: String
        let target: String
        let status: Int
        let body: String?
        var testDescription: String { "\(method) \(target)" }
        init(_ method: String, _ target: String, _ status: Int, _ body: String? = nil) {
            (self.method, self.target, self.status, self.body) = (method, target, status, body)
        }
    }

    static let rows = [
        Row("GET", "/ping", 200, "pong"),
        Row("GET", "/ping?x=1", 200, "pong"),
        Row("GET", "/async", 200, "later"),
        Row("GET", "/ping/", 404, "<html><title>404: Not Found</title><body>404: Not Found</body></html>"),
        Row("HEAD", "/ping", 200, ""),  // WEB-04
        Row("HEAD", "/async", 200, ""),
        Row("get", "/ping", 405),  // WEB-02: case matters
        Row("GET", "/users/12", 200, "user 12"),
        Row("GET", "/users/-3", 200, "user -3"),
        Row("GET", "/users/+3", 404),
        Row("GET", "/users/1_0", 404),
        Row("GET", "/users/x", 404),
        Row("GET", "/users/", 404),
        Row("GET", "/users/99999999999999999999", 404),
        Row("GET", "/text/a%2Fb%20c+d", 200, "a/b c+d"),  // WEB-05
        Row("GET", "/text/%ff", 400),
        Row("GET", "/text/100%", 200, "100%"),
        Row("GET", "/digits/007", 200, "007"),
        Row("GET", "/digits/x", 404),
        Row("GET", "/two/q/x/5.json", 200, "q 5"),
        Row("GET", "/two/q/x/5.jso", 404),
        Row("GET", "/rest/", 200, "[]"),
        Row("GET", "/rest/a/b%20c", 200, "[a/b c]"),
        Row("PUT", "/users/7", 200, "7 0"),
        Row("DELETE", "/users/7", 204, ""),
        Row("POST", "/users/7", 405),
        Row("GET", "/html", 200, "<p>"),
        Row("GET", "/away", 302, ""),
        Row("GET", "/bytes", 200, "\u{7}\u{7}\u{7}"),
        Row("GET", "/nothing", 404),
        Row("GET", "/fails", 418),
        Row("PURGE", "/any", 200, "PURGE"),
        Row("GET", "/loop/b", 200, "b"),
        Row("GET", "/class", 200, "a class"),
        Row("HEAD", "/class", 200, ""),
        Row("POST", "/class", 200, "a closure"),
        Row("PUT", "/class", 405),
        Row("GET", "/group/inner", 200, "inner"),
        Row("OPTIONS", "*", 204, ""),
    ]

    @Test("RT-03, WEB-02, WEB-05: what answers what", arguments: TestMode.allCases)
    func table(_ mode: TestMode) async throws {
        try await routes().test(mode) { client in
            for row in Self.rows {
                let response = try await client.request(row.method, row.target)
                #expect(response.status == row.status, "\(row.testDescription)")
                if let body = row.body { #expect(response.text == body, "\(row.testDescription)") }
            }
        }
    }

    @Test("WEB-03: 405 names the methods")
    func allow() async throws {
        try await routes().test { client in
            let response = try await client.post("/users/7")
            #expect(response.headers["Allow"] == "GET, HEAD, PUT, DELETE")
        }
    }

    @Test("HEAD has the headers of GET")
    func head() async throws {
        try await routes().test { client in
            let response = try await client.head("/ping")
            #expect(response.headers["Content-Length"] == "4")
            #expect(response.headers["Content-Type"] == "text/plain; charset=utf-8")
        }
    }

    @Test func json() async throws {
        try await routes().test { client in
            let response = try await client.post("/users", json: User(name: "J\u{f6}rg"))
            #expect(try response.json(User.self) == User(name: "J\u{f6}rg"))
            #expect(response.headers["Content-Type"] == "application/json; charset=UTF-8")
            #expect(try await client.post("/users", body: "{").status == 400)
            #expect(try await client.get("/away").headers["Location"] == "/a%20b%C3%A9")
        }
    }

    @Test("HU-20: what a request tells", arguments: TestMode.allCases) func request(_ mode: TestMode) async throws {
        let app = Application(settings: .quiet) {
            Route(any: "/r/{name}") { (name: String, request: Request) throws in
                [
                    request.method, request.target, request.path, request.queryString, request.version, request.host,
                    request.scheme, request.fullURL, request.header("X-a") ?? "-", request.headers["x-A"] ?? "-",
                    try request.query("q") ?? "-", try request.form("f") ?? "-", request.cookie("c") ?? "-",
                    try request.pathParameter("name") ?? "-", name, String(repairing: request.body.span),
                ].joined(separator: "|")
            }
        }
        try await app.test(mode) { client in
            let answer = try await client.request(
                "PUT", "/r/a%20b?q=1&q=%C3%A9",
                headers: [
                    "Host": "example.org:81", "X-A": "y", "Cookie": "c=2",
                    "Content-Type": "application/x-www-form-urlencoded",
                ], body: Array("f=+x".utf8))
            let expected =
                "PUT|/r/a%20b?q=1&q=%C3%A9|/r/a%20b|q=1&q=%C3%A9|HTTP/1.1|example.org:81|http|"
                + "http://example.org:81/r/a%20b?q=1&q=%C3%A9|y|y|é| x|2|a b|a b|f=+x"
            #expect(answer.text == expected)
        }
    }

    @Test("WEB-35: reverse URLs") func reverse() {
        let app = routes()
        #expect(app.url(for: "user", "a b/\u{e9}") == "/users/a%20b%2F%C3%A9")
        #expect(app.url(for: "two", "x", "1") == "/two/x/x/1.json")
        #expect(app.url(for: "rest", "a/b c") == "/rest/a/b%20c")
        #expect(app.url(for: "user") == nil)
        #expect(app.url(for: "none") == nil)
    }

    @Test(
        "a route that cannot be is one sentence",
        arguments: ["/{", "/{a}{b}", "/{a}/{a}", "/{a b}", "/}", "/{a...}/b", "/{a:x}"])
    func mistakes(_ pattern: String) async throws {
        let app = Application(settings: .quiet) { Route(get: pattern) { "" } }
        await #expect(throws: ServerError.self) { try await app.test { _ in } }
    }

    @Test("a port in use is one sentence") func portInUse() async throws {
        try await routes().test(.live) { client in
            let port = try await client.get("/ping").status == 200 ? 1 : 0
            let error = await #expect(throws: ServerError.self) {
                try await routes().run(port: port, host: "256.0.0.1")
            }
            #expect(error.map { "\($0)".isEmpty } == false)
        }
    }
}
