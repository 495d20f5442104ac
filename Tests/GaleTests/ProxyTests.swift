import GaleTesting
import Testing

@testable import Gale

@Suite struct ProxyTests {
    private static func app(_ change: (inout Settings) -> Void) -> Application {
        var settings = Settings.quiet
        change(&settings)
        return Application(settings: settings) {
            Route(get: "/who") { (request: Request) in
                "\(request.remoteAddress) \(request.peerAddress) \(request.fullURL)"
            }
        }
    }

    @Test("H1-23, H1-24: a trusted proxy names client, scheme and host; nobody else does") func forwarded() async throws
    {
        let headers = [
            "X-Forwarded-For": "9.9.9.9, 203.0.113.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil",
            "Host": "a.example", "Forwarded": "for=198.51.100.1;proto=https;host=b.example",
            "X-Real-Ip": "192.0.2.1",
        ]
        let here = "127.0.0.1"
        let rows: [(ServerConfiguration.ForwardedFields, [String], Bool, String)] = [
            (.xForwarded, [], false, "\(here) \(here) http://a.example/who"),
            (.xForwarded, ["10.0.0.0/8"], true, "\(here) \(here) http://a.example/who"),
            (.xForwarded, ["127.0.0.0/8"], false, "203.0.113.7 \(here) https://a.example/who"),
            (.xForwarded, ["127.0.0.0/8", "203.0.113.0/24"], true, "9.9.9.9 \(here) https://evil/who"),
            (.standard, [here], false, "198.51.100.1 \(here) https://b.example/who"),
            (.xRealIP, [here], false, "192.0.2.1 \(here) http://a.example/who"),
        ]
        for (family, proxies, trustsHost, expected) in rows {
            let app = Self.app {
                $0.server.trustedProxies = proxies
                $0.server.forwarded = family
                $0.server.trustsForwardedHost = trustsHost
            }
            try await app.test(.live) { client in
                let answer = try await client.get("/who", headers: headers)
                #expect(answer.text == expected)
            }
        }
    }

    @Test("H1-23: what is no network is said when the server starts") func mistake() async throws {
        let app = Self.app { $0.server.trustedProxies = ["10.0.0.0/8", "localhost"] }
        await #expect { try await app.test(.memory) { _ in } } throws: {
            "\($0)".contains("trusted proxies are 10.0.0.0/8, localhost")
        }
    }
}

@Suite struct ClientTests {
    @Test("WS-05: a request knows the client's port, its own worker and whether a page of ours made it")
    func client() async throws {
        let app = Application(settings: .quiet) {
            Route(get: "/client") { (request: Request) in
                "\(request.remotePort > 0) \(request.worker) \(request.isSameOrigin)"
            }
        }
        try await app.test(.live) { client in
            for (origin, same) in [("http://a.example", true), ("http://b.example", false)] {
                let answer = try await client.get("/client", headers: ["Host": "a.example", "Origin": origin])
                #expect(answer.text == "true 0 \(same)")
            }
        }
        try await app.test(.memory) { client in
            let answer = try await client.get("/client")
            #expect(answer.text == "false 0 true")
        }
    }
}

@Suite struct RateLimitTests {
    @Test("a client beyond its rate gets 429 and Retry-After, others go on") func limit() async throws {
        let app = Application(settings: .quiet) {
            Group("/slow", with: [RateLimit(2, per: .seconds(10_000), by: { $0.header("User") ?? "" })]) {
                Route(get: "") { "in" }
            }
        }
        try await app.test { client in
            for status in [200, 200, 429, 429] {
                let response = try await client.get("/slow", headers: ["User": "ann"])
                #expect(response.status == status)
                #expect((response.headers["Retry-After"].flatMap(Int.init) ?? 0 > 4000) == (status == 429))
            }
            let other = try await client.get("/slow", headers: ["User": "bob"])
            #expect(other.status == 200)
        }
    }

    @Test("figures that make no sense are reported at the start", arguments: [0, -1]) func mistake(_ count: Int)
        async throws
    {
        let app = Application(settings: .quiet, middleware: [RateLimit(count)]) { Route(get: "/") { "" } }
        await #expect { try await app.test(.memory) { _ in } } throws: { "\($0)".contains("rate limit of \(count)") }
    }

    @Test("clients of one IPv6 network are one") func addresses() async throws {
        var settings = Settings.quiet
        settings.server.trustedProxies = ["127.0.0.1"]
        let app = Application(settings: settings) {
            Route(get: "/") { (request: Request) in RateLimit.client(request) }
        }
        try await app.test(.live) { client in
            for (address, expected) in [
                ("10.1.2.3", "10.1.2.3"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2"), ("2001:db8::6", "2001:db8:0:0"),
                ("::1", "0:0:0:0"), ("2001:db8:1:2::", "2001:db8:1:2"), ("1::2:3:4:5:6", "1:0:0:2"),
            ] {
                let answer = try await client.get("/", headers: ["X-Forwarded-For": address])
                #expect(answer.text == expected, "\(address)")
            }
        }
    }
}
