import GaleTesting
import Testing

@testable import Gale

private final class Arguments: RequestHandler {
    override func get() async throws { try await post() }
    override func post() async throws {
        try write("\(try argument("x"))|\(try argument("y", default: "none"))|\(try queryAll("x"))|\(try formAll("x"))")
    }
}

private struct Search: Codable, Sendable {
    var text: String
    var page: Int?
    var exact: Bool?
    var tags: [String]?
    var weight: Double?
}

@Suite struct ArgumentTests {
    private static let typed = Application(settings: .quiet) {
        Route(get: "/search") { (search: Query<Search>) in JSON(search.value) }
        Route(post: "/search/{id}") { (id: Int, search: Form<Search>) async throws in "\(id) \(search.value.text)" }
    }

    @Test("Query and Form decode flat types") func decoding() async throws {
        try await Self.typed.test { client in
            let all = try await client.get("/search?text=a+b&page=2&exact=on&tags=x&tags=y&weight=1.5").json(
                Search.self)
            #expect(
                all.text == "a b" && all.page == 2 && all.exact == true && all.tags == ["x", "y"] && all.weight == 1.5)
            let least = try await client.get("/search?text=")
            #expect(least.text == #"{"text":""}"#)
            for bad in [
                "", "text=a&page=x", "text=a&page=%2b1", "text=a&page=99999999999999999999", "text=a&exact=maybe",
            ] {
                #expect(try await client.get("/search?\(bad)").status == 400, "\(bad)")
            }
            #expect(try await client.post("/search/5", form: ["text": "\u{e9}&="]).text == "5 \u{e9}&=")
            #expect(try await client.post("/search/5").status == 400)
        }
    }

    private static let app = Application(settings: .quiet) { Route("/", Arguments.self) }

    @Test("WEB-11 to WEB-13, HU-13") func table() async throws {
        try await Self.app.test { client in
            let missing = try await client.get("/")
            #expect(missing.status == 400)
            #expect(try await client.get("/?x=1").text == "1|none|[\"1\"]|[]")
            #expect(try await client.get("/?x=1&x=2&y").text == "2||[\"1\", \"2\"]|[]")
            #expect(try await client.get("/?x=a%20b+c%01%26&y=;").text == "a b c &|;|[\"a b c &\"]|[]")
            #expect(try await client.get("/?x=%ff").status == 400)
            #expect(try await client.get("/?x=100%&&=&y=%zz").text == "100%|%zz|[\"100%\"]|[]")
            #expect(try await client.post("/?x=q", form: ["x": " f "]).text == "f|none|[\"q\"]|[\"f\"]")
            let upper = ["Content-Type": "Application/X-WWW-Form-Urlencoded; charset=utf-8"]
            #expect(try await client.post("/?x=q", body: "x=1", headers: upper).text == "1|none|[\"q\"]|[\"1\"]")
            #expect(
                try await client.post("/?x=q", body: "x=1", headers: ["Content-Type": "text/plain"]).text
                    == "q|none|[\"q\"]|[]")
        }
    }

    @Test("HU-13: at most 1000 fields") func limit() async throws {
        try await Self.app.test { client in
            let form = ["Content-Type": "application/x-www-form-urlencoded"]
            let most = String(repeating: "x=1&", count: 1000)
            let full = try await client.post("/", body: most, headers: form)
            #expect(full.status == 200)
            #expect(try await client.post("/", body: most + "x=1", headers: form).status == 400)
        }
    }
}
