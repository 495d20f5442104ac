import Gale
import GaleRedis
import Testing

/// What comes over a log's channel and isn't in its stream.
@Suite(.serialized) struct LogStrayTests {
    /// How many scripts Redis was asked to run.
    private func scripts(_ redis: Redis) async throws -> Int {
        let text = try await redis.command("INFO", "commandstats").text ?? ""
        let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("cmdstat_eval:calls=") }
        return line.flatMap { Int($0.dropFirst(19).prefix { $0 != "," }) } ?? 0
    }

    @Test("messages of entries that are nowhere cost a few readings, and stop nothing") func strays() async throws {
        let server = try RedisServer()
        let (a, b) = (try Reader(server.url), try Reader(server.url))
        try await serving(a.redis, b.redis) {
            try await a.log.append("one")
            try await a.has(1)
            try await b.has(1)
            let before = try await scripts(a.redis)
            for number in 0..<100 {
                try await a.redis.publish(
                    "a 900000000000\(1000 + number)-0 900000000000\(1001 + number)-0 1 kx", to: a.channel)
            }
            let two = try await b.log.append("two")
            try await a.has(2)
            try await Task.sleep(for: .milliseconds(600))
            // An append, and for each reader two readings of a page at most, at once and later, and one that was begun.
            #expect(try await scripts(a.redis) - before <= 12)
            #expect(try await a.log.append("three").position > two.position)
            try await b.has(3)
            #expect(b.texts == ["one", "two", "three"])
            #expect(a.entries.all == b.entries.all)
            #expect(try await a.log.caughtUp(for: .seconds(5)))
        }
    }

    @Test("an entry that is gone before it was read for is let go, and what follows comes") func gone() async throws {
        let server = try RedisServer()
        let (a, b) = (try Reader(server.url), try Reader(server.url))
        try await serving(a.redis, b.redis) {
            try await a.log.append("one")
            try await b.has(1)
            // As if an entry had come whose predecessor was missed, and all were gone at once.
            try await b.redis.command(
                "EVAL",
                """
                redis.call('PUBLISH', KEYS[2], 'a 9000000000000-5 9000000000000-6 1 kx')
                redis.call('DEL', KEYS[1])
                """, "2", "log", a.channel)
            try await b.log.append("two")
            try await a.has(2)
            try await b.has(2)
            #expect(a.texts == ["one", "two"])
            #expect(b.entries.all == a.entries.all)
            try await until("put back") { try await a.redis.command("XLEN", "log") == .integer(2) }
        }
    }
}
