import GaleTesting
import Testing

@testable import Gale

private final class Secret: RequestHandler {
    override func get() async throws {
        try setCompression([])
        try write(String(repeating: "secret ", count: 1000))
    }
}

private final class Late: RequestHandler {
    override func get() async throws {
        try write("begun")
        try await flush()
        #expect(throws: ResponseError.headSent) { try setCompression(.gzip) }
    }
}

@Suite struct ServerConfigurationTests {
    private static let text = String(repeating: "Hello, World! ", count: 1000)

    private static func app(_ change: (inout ServerConfiguration) -> Void) -> Application {
        var settings = Settings.quiet
        change(&settings.server)
        return Application(settings: settings) {
            Route(get: "/text") { text }
            Route(get: "/short") { "short" }
            Route("/late", Late.self)
            Route("/page", Secret.self)
            Route(post: "/count") { (request: Request) in "\(request.withBody { $0.count })" }
            Route(post: "/back") { (request: Request) in request.body.count > 100 ? "long" : "short" }
        }
    }

    @Test("GZ-01, GZ-02, GZ-03: who asks for it gets a compressed response", arguments: TestMode.allCases)
    func compression(_ mode: TestMode) async throws {
        let app = Self.app {
            $0.compression = CompressionSettings()
            $0.decompression = DecompressionSettings()
        }
        try await app.test(mode) { client in
            let gzip = try await client.get("/text", headers: ["Accept-Encoding": "gzip"])
            #expect(gzip.headers["Content-Encoding"] == "gzip")
            #expect(gzip.headers["Vary"] == "Accept-Encoding")
            #expect(gzip.body.prefix(2) == [0x1f, 0x8b] && gzip.body.count < Self.text.utf8.count / 10)
            // H1-20: what came out goes in again, and is what it was.
            let back = try await client.post("/count", body: gzip.body, headers: ["Content-Encoding": "gzip"])
            #expect(back.text == "\(Self.text.utf8.count)")
            let broken = Array(gzip.body.dropLast(9))
            #expect(try await client.post("/count", body: broken, headers: ["Content-Encoding": "gzip"]).status == 400)
            #expect(try await client.post("/count", body: "x", headers: ["Content-Encoding": "lzw"]).status == 415)

            let plain = try await client.get("/text", headers: ["Accept-Encoding": "gzip;q=0"])
            #expect(plain.headers["Content-Encoding"] == nil && plain.text == Self.text)
            #expect(plain.headers["Vary"] == "Accept-Encoding")
            let short = try await client.get("/short", headers: ["Accept-Encoding": "gzip"])
            #expect(short.headers["Content-Encoding"] == nil && short.text == "short")
            let secret = try await client.get("/page", headers: ["Accept-Encoding": "gzip"])
            #expect(secret.headers["Content-Encoding"] == nil && secret.text.hasPrefix("secret secret"))
            #expect(try await client.get("/late").text == "begun")
        }
    }

    @Test("H1-20: what gets too long, or too much longer than it came, is refused") func bombs() async throws {
        let bombText = String(repeating: "A", count: 900_000)
        var coded: [UInt8] = []
        let maker = Self.app { $0.compression = CompressionSettings() }
        let source = Application(settings: maker.settings) { Route(get: "/") { bombText } }
        try await source.test(.memory) { client in
            coded = try await client.get("/", headers: ["Accept-Encoding": "gzip"]).body
        }
        let rows: [(ratio: Int?, most: Int?, status: Int)] = [(nil, nil, 413), (2000, nil, 200), (2000, 500_000, 413)]
        for row in rows {
            let app = Self.app {
                $0.decompression = DecompressionSettings()
                $0.decompression?.maxRatio = row.ratio
                $0.maxBodyBytes = row.most
            }
            try await app.test(.memory) { client in
                let answer = try await client.post("/count", body: coded, headers: ["Content-Encoding": "gzip"])
                #expect(answer.status == row.status, "\(row)")
            }
        }
    }

    @Test("leniencies let pass what is else refused, one each") func leniencies() async throws {
        let rows: [(ServerConfiguration.Leniencies, String)] = [
            (.bareLF, "GET /short HTTP/1.1\nHost: a\n\n"),
            (.foldedFields, "GET /short HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"),
            (.missingHost, "GET /short HTTP/1.1\r\nConnection: close\r\n\r\n"),
            (
                .repeatedLength,
                "POST /back HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx"
            ),
        ]
        for (leniency, request) in rows {
            for given in rows.map(\.0) + [[]] {
                let app = Self.app { $0.leniencies = given }
                try await app.test(.live) { client in
                    let answer = try await client.raw(
                        request.replacing("Host: a", with: "Host: a\r\nConnection: close"))
                    #expect(answer.hasPrefix(given == leniency ? "HTTP/1.1 200" : "HTTP/1.1 400"), "\(request)")
                }
            }
        }
    }

    @Test("H1-22: numbers of requests, fields of the server, a limit of nothing") func limits() async throws {
        let app = Self.app {
            $0.maxRequestsPerConnection = 1
            $0.sendsServerHeader = false
            $0.maxBodyBytes = 0
        }
        try await app.test(.live) { client in
            let answer = try await client.get("/short")
            #expect(answer.headers["Connection"] == "close" && answer.headers["Server"] == nil)
            #expect(try await client.post("/count", body: "xy").status == 413)
        }
    }
}
