import CGaleRedis
import Gale
import GaleCore
import GaleRedis
import Testing

/// Lends a test the loop.
private final class Lender: Service {
    let loop = Guarded<ServiceLoop?>(nil)
    func start(on loop: ServiceLoop) { self.loop.withLock { $0 = loop } }
    func stop() {}
}

@Suite(.serialized) struct MemoryTests {
    @Test("an allocation that fails costs the connection, and it comes back", arguments: 0..<6)
    func failing(_ count: Int) async throws {
        let server = try RedisServer()
        let lender = Lender()
        let redis = try Redis(server.url, .quick.with { $0.patience = .zero })
        try await serving(lender, redis) {
            try await until("connected") { redis.isConnected }
            let loop = try #require(lender.loop.withLock { $0 })
            loop.post { gale_redis_fail_allocation(count) }
            try server.tell("CLIENT KILL TYPE normal SKIPME yes")
            try server.tell("CLIENT KILL TYPE pubsub")
            // The two connections need six allocations: with fewer at least one isn't made.
            let large = String(repeating: "x", count: 200_000)
            var trouble: RedisError?
            try await until("trouble") {
                do {
                    try await redis.command("SET", "x", large)
                    return false
                } catch let error as RedisError {
                    trouble = error
                    return "\(error)".contains("memory")
                }
            }
            #expect(trouble != nil)
            loop.post { gale_redis_fail_allocation(-1) }
            try await until("connected") { redis.isConnected }
            try await until("works") { (try? await redis.command("SET", "x", large)) == .status("OK") }
            #expect(try await redis.command("GET", "x").text?.utf8.count == 200_000)
        }
    }
}
