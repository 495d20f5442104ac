import Gale
import GaleRedis
import Testing

/// What no Redis would send ends the connection, and it is tried again; nothing else happens.
@Suite(.serialized) struct HostileTests {
    private static let pong = Array("+PONG\r\n".utf8)

    @Test(
        "instead of a greeting",
        arguments: [
            "-ERR no\r\n", "-LOADING Redis is loading\r\n", "-NOAUTH x\r\n", "*-5\r\n", "*2147483647\r\n",
            "*99999999999999999999\r\n", "$9999999999999999999\r\n", "$-5\r\n", "%3\r\n", "\0\0\0\0",
            "GET / HTTP/1.1\r\n\r\n",
            String(repeating: "*1\r\n", count: 20), String(repeating: "*1000000\r\n", count: 7),
            "+" + String(repeating: "x", count: 200_000), "$" + String(repeating: "1", count: 200_000),
            "*" + String(repeating: "0", count: 200_000), ":" + String(repeating: "9", count: 100_000), "$abc\r\n",
            "$17000000\r\n" + String(repeating: "y", count: 17_000_000), "\r\n", "+PONG\r\n+PONG\r\n",
        ])
    func greeting(_ text: String) async throws {
        let fake = try FakeRedis { came in came.isEmpty ? Array(text.utf8) : [] }
        defer { fake.stop() }
        let redis = try Redis(fake.url, .quick.with { $0.answerTimeout = .milliseconds(500) })
        try await serving(redis) {
            try await until("tried again") { fake.accepted >= 6 }
            let error = try await failure { try await redis.command("PING") }
            switch error {
            case .away, .lost: break
            default: throw error
            }
        }
    }

    @Test(
        "after the greeting",
        arguments: [
            "*3\r\n$7\r\nmessage\r\n:1\r\n$1\r\nx\r\n", "*3\r\n$9\r\nsubscribe\r\n$1\r\nz\r\n:1\r\n", "*0\r\n",
            "*-1\r\n",
            "$-1\r\n", "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n*-1\r\n", "*2\r\n$4\r\npong\r\n$0\r\n\r\n", "+OK\r\n",
            "-ERR x\r\n",
            "*4\r\n$8\r\npmessage\r\n$1\r\nc\r\n$-1\r\n$1\r\nx\r\n", ":5\r\n", "*1\r\n*1\r\n*1\r\n:1\r\n",
            "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n*2\r\n:1\r\n:2\r\n",
        ])
    func messages(_ text: String) async throws {
        let list = List<RedisMessage>()
        let fake = try FakeRedis { came in
            if came.isEmpty { return [] }
            return came.contains("PING") ? HostileTests.pong + Array(text.utf8) : Array(text.utf8)
        }
        defer { fake.stop() }
        let redis = try Redis(fake.url, .quick)
        let subscription = redis.subscribe(to: "c") { list.add($0) }
        try await serving(redis) {
            try await until("tried again") { fake.accepted >= 6 }
            #expect(list.count == 0)
            #expect(!subscription.isActive)
        }
    }

    @Test("who greets well and misbehaves then is asked in growing pauses") func pauses() async throws {
        let fake = try FakeRedis { came in came.isEmpty ? [] : HostileTests.pong + Array("+OK\r\n".utf8) }
        defer { fake.stop() }
        let redis = try Redis(fake.url, .quick.with { $0.longestPause = .seconds(2) })
        try await serving(redis) {
            try await Task.sleep(for: .milliseconds(1500))
            // Two connections, each at 0, 50, 150, 350 and 750 ms at the soonest, and one in between.
            #expect((2...12).contains(fake.accepted), "\(fake.accepted)")
        }
    }

    @Test("an answer that comes in single bytes is one") func slowly() async throws {
        let dripping = try FakeRedis(pieces: 1) { came in
            if came.isEmpty { return [] }
            if came.contains("PING") { return HostileTests.pong }
            return Array("*2\r\n$5\r\nab\r\nc\r\n*2\r\n:-7\r\n$-1\r\n".utf8)
        }
        defer { dripping.stop() }
        let redis = try Redis(dripping.url, .quick.with { $0.patience = .seconds(10) })
        try await serving(redis) {
            for _ in 0..<3 {
                let answer = try await redis.command("X")
                #expect(answer == .array([.bytes(Array("ab\r\nc".utf8)), .array([.integer(-7), .null])]))
            }
        }
    }

    @Test("seven arrays within each other are taken, and no more") func depth() async throws {
        let fake = try FakeRedis { came in
            if came.isEmpty { return [] }
            if came.contains("PING") { return HostileTests.pong }
            let depth = came.contains("deep") ? 8 : 7
            return Array((String(repeating: "*1\r\n", count: depth) + ":5\r\n").utf8)
        }
        defer { fake.stop() }
        let redis = try Redis(fake.url, .quick.with { $0.patience = .seconds(10) })
        try await serving(redis) {
            var value = try await redis.command("X")
            for _ in 0..<7 { value = try #require(value.array?.first) }
            #expect(value == .integer(5))
            guard case .lost = try await failure({ try await redis.command("deep") }) else {
                Issue.record("taken")
                return
            }
        }
    }

    @Test(
        "a log that gets nonsense tells who appends, or waits, and does not fall",
        arguments: [
            ":1\r\n", "*0\r\n", "*-1\r\n", "*3\r\n:1\r\n:1\r\n:1\r\n", "*4\r\n:1\r\n:1\r\n*1\r\n$1\r\nx\r\n$0\r\n\r\n",
            "*4\r\n:0\r\n:1\r\n*1\r\n*2\r\n$3\r\nx-y\r\n*0\r\n$0\r\n\r\n",
            "*4\r\n:0\r\n:0\r\n*1\r\n*2\r\n$20\r\n99999999999999999-00\r\n*0\r\n$0\r\n\r\n",
            "*4\r\n:0\r\n:-5\r\n*0\r\n$0\r\n\r\n", "*4\r\n:0\r\n:0\r\n*0\r\n$5\r\nOOM x\r\n",
            "*4\r\n:0\r\n:0\r\n*0\r\n:1\r\n", "-ERR unknown command\r\n", "-OOM x\r\n", "*1\r\n$4\r\nread\r\n",
            "*2\r\n$4\r\nwait\r\n:9223372036854775807\r\n", "*2\r\n$4\r\nwait\r\n:-5\r\n",
            "*1\r\n*2\r\n$0\r\n\r\n$1\r\nx\r\n",
            "*1\r\n*2\r\n$1\r\nx\r\n$1\r\nx\r\n",
        ])
    func log(_ text: String) async throws {
        let fake = try FakeRedis { came in
            if came.isEmpty { return [] }
            if came.contains("PING") { return HostileTests.pong }
            if came.contains("SUBSCRIBE") {
                return Array("*3\r\n$9\r\nsubscribe\r\n$22\r\ngale-log:entries:0:log\r\n:1\r\n".utf8)
            }
            // What reads is answered well at every second time.
            if came.contains("run_id") && Bool.random() { return Array("*4\r\n:1\r\n:0\r\n*0\r\n$0\r\n\r\n".utf8) }
            return Array(text.utf8)
        }
        defer { fake.stop() }
        let reader = try Reader(fake.url)
        try await serving(reader.redis) {
            let outcomes = List<String>()
            let tasks = (0..<3).map { index in
                Task {
                    do {
                        outcomes.add(try await reader.log.append("\(index)").text)
                    } catch {
                        outcomes.add("\(error)")
                    }
                }
            }
            let clock = ContinuousClock.now
            while outcomes.count < 3 && ContinuousClock.now - clock < .milliseconds(700) {
                try await Task.sleep(for: .milliseconds(10))
            }
            for task in tasks { task.cancel() }
            for task in tasks { await task.value }
            // No entry was ever there.
            #expect(Set(outcomes.all).isDisjoint(with: ["0", "1", "2"]))
        }
        #expect(reader.entries.count == 0)
    }
}
