import GaleTesting
import Testing

@testable import Gale

@Suite struct ServerStatsTests {
    @Test("what the server has done, by kind", arguments: TestMode.allCases) func counters(_ mode: TestMode)
        async throws
    {
        let app = Application(settings: .quiet) {
            Route(get: "/") { (request: Request) throws -> String in
                let stats = try #require(request.serverStats)
                return "\(stats.requests) \(stats.responses) \(stats.connectionsOpen) \(stats.bytesIn > 0)"
            }
            Route(get: "/teapot") { () throws -> String in throw HTTPError(418) }
        }
        try await app.test(mode) { client in
            let first = try await client.get("/")
            #expect(first.text == "1 [0, 0, 0, 0, 0] 1 true")
            #expect(try await client.get("/teapot").status == 418)
            #expect(try await client.get("/").text == "3 [0, 1, 0, 1, 0] 1 true")
        }
    }
}
