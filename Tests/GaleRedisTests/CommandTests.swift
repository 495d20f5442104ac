import Gale
import GaleRedis
import Testing

@Suite(.serialized) struct CommandTests {
    @Test("commands of all kinds of answers") func kinds() async throws {
        let server = try RedisServer()
        let redis = try Redis(server.url, .quick)
        try await serving(redis) {
            try await until("connected") { redis.isConnected }
            #expect(try await redis.command("SET", "a", "1") == .status("OK"))
            #expect(try await redis.command("GET", "a") == .bytes([49]))
            #expect(try await redis.command("GET", "a").integer == 1)
            #expect(try await redis.command("GET", "b") == .null)
            #expect(try await redis.command("INCRBY", "a", "41") == .integer(42))
            let every = (0...255).map { UInt8($0) }
            try await redis.command(bytes: [Array("SET".utf8), [0, 13, 10], every])
            #expect(try await redis.command(bytes: [Array("GET".utf8), [0, 13, 10]]) == .bytes(every))
            try await redis.command("RPUSH", "list", "x", "", "z")
            #expect(
                try await redis.command("LRANGE", "list", "0", "-1").array?.map(\.text) == ["x", "", "z"])
            let nested = try await redis.command("EVAL", "return {1, {'two', {}}, false, redis.pcall('X')}", "0")
            guard case .array(let parts) = nested, parts.count == 4, case .error = parts[3] else {
                Issue.record("\(nested)")
                return
            }
            #expect(Array(parts[..<3]) == [.integer(1), .array([.bytes(Array("two".utf8)), .array([])]), .null])
            let error = try await failure { try await redis.command("LPUSH", "a", "x") }
            guard case .server(let text) = error else { throw error }
            #expect(text.hasPrefix("WRONGTYPE"))
        }
        #expect(!redis.isConnected)
        #expect(try await failure { try await redis.command("PING") } == .away("the server doesn't run"))
    }

    @Test("a thousand commands of ten tasks: each gets its own answer, in its task's order")
    func pipeline() async throws {
        let server = try RedisServer()
        let redis = try Redis(server.url, .quick.with { $0.patience = .seconds(10) })
        try await serving(redis) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<10 {
                    group.addTask {
                        for index in 0..<100 {
                            let text = "\(task) \(index)"
                            let echo = try await redis.command("ECHO", text)
                            #expect(echo.text == text)
                            let count = try await redis.command("RPUSH", "list\(task)", text)
                            #expect(count == .integer(index + 1))
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("over TCP, by name, with a user and a database") func login() async throws {
        let port = try freePort()
        let server = try RedisServer(
            persistent: false, "--port", String(port), "--bind", "127.0.0.1")
        try server.tell("ACL SETUSER ada on >lovelace ~* &* +@all", "CONFIG SET requirepass secret")
        for (url, works) in [
            ("redis://ada:lovelace@localhost:\(port)/3", true), ("redis://:secret@127.0.0.1:\(port)", true),
            ("redis://ada:wrong@127.0.0.1:\(port)", false), ("redis://127.0.0.1:\(port)", false),
            ("redis://:secret@127.0.0.1:\(port)/99", false),
        ] {
            let redis = try Redis(url, .quick.with { $0.patience = .milliseconds(works ? 20_000 : 300) })
            try await serving(redis) {
                if works {
                    try await redis.command("SET", "who", url)
                    #expect(try await redis.command("GET", "who").text == url)
                } else {
                    let error = try await failure { try await redis.command("GET", "who") }
                    guard case .away(let text) = error else { throw error }
                    #expect(["WRONGPASS", "NOAUTH", "DB index"].contains { text.contains($0) }, "\(text)")
                    #expect(!text.contains("wrong"))
                }
            }
        }
        let redis = try Redis("redis://:secret@127.0.0.1:\(port)", .quick.with { $0.patience = .seconds(10) })
        try await serving(redis) {
            let who = try await redis.command("GET", "who").text
            #expect(who == "redis://:secret@127.0.0.1:\(port)")
        }
    }

    @Test("nobody there: a command fails at once, or waits as long as it may") func away() async throws {
        let redis = try Redis("unix:/tmp/gale-redis-nobody.sock", .quick)
        let patient = try Redis("redis://127.0.0.1:1", .quick.with { $0.patience = .milliseconds(200) })
        try await serving(redis, patient) {
            let clock = ContinuousClock()
            var error: RedisError?
            try await until("refused") {
                error = try await failure { try await redis.command("PING") }
                return error.map { "\($0)".contains("no such file") } ?? false
            }
            let time = try await clock.measure {
                error = try await failure { try await patient.command("PING") }
            }
            guard case .away(let text) = error else { throw NotInTime(description: "\(String(describing: error))") }
            #expect(text.contains("connection refused"))
            #expect(time >= .milliseconds(200))
        }
        let none = try Redis("redis://nowhere.invalid", .quick)
        try await serving(none) {
            try await until("not found") {
                "\(try await failure { try await none.command("PING") })".contains("cannot find the host")
            }
        }
    }

    @Test("what waits is bounded, and a cancelled command is let go") func bounds() async throws {
        let options = RedisOptions.quick.with {
            $0.patience = .seconds(60)
            $0.maxWaiting = 3
            $0.maxWaitingBytes = 1000
        }
        let redis = try Redis("unix:/tmp/gale-redis-nobody.sock", options)
        try await serving(redis) {
            let refused = List<RedisError>()
            let tasks = (0..<10).map { _ in
                Task {
                    do {
                        _ = try await redis.command("PING")
                    } catch let error as RedisError {
                        refused.add(error)
                    }
                }
            }
            try await until("seven refused") { refused.count >= 7 }
            for task in tasks { task.cancel() }
            var cancelled = 0
            for task in tasks {
                do { try await task.value } catch is CancellationError { cancelled += 1 }
            }
            #expect(cancelled == 3)
            #expect(refused.count == 7)
            #expect(refused.all.allSatisfy { if case .limit = $0 { true } else { false } })
            let large = try await failure { try await redis.command("SET", "x", String(repeating: "x", count: 1000)) }
            guard case .limit = large else { throw large }
            // There is room again.
            let task = Task { try await redis.command("PING") }
            try await Task.sleep(for: .milliseconds(50))
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test("a connection that is cut loses what is under way, and comes back") func cut() async throws {
        let server = try RedisServer()
        let redis = try Redis(server.url, .quick.with { $0.patience = .seconds(20) })
        let changes = List<Bool>()
        redis.onChange { changes.add($0) }
        try await serving(redis) {
            try await redis.command("PING")
            try await until("connected") { redis.isConnected }
            let blocked = Task { try await failure { try await redis.command("BLPOP", "nothing", "0") } }
            try await until("cut") {
                try server.tell("CLIENT KILL TYPE normal SKIPME yes")
                return changes.count >= 2
            }
            guard case .lost = try await blocked.value else {
                Issue.record("not lost")
                return
            }
            try await until("connected") { redis.isConnected }
            try await until("answered") { (try? await redis.command("ECHO", "again"))?.text == "again" }
            server.kill()
            try await until("away") { !redis.isConnected }
            try server.start()
            #expect(try await redis.command("ECHO", "once more").text == "once more")
            try await until("connected") { redis.isConnected }
        }
        // Each is a change, and the last is the end.
        for (index, change) in changes.all.enumerated() { #expect(change == (index % 2 == 0)) }
        #expect(changes.all.last == false)
        #expect(changes.count >= 6)
    }

    @Test("a Redis that says nothing is given up, and found again") func frozen() async throws {
        let server = try RedisServer()
        let options = RedisOptions.quick.with {
            $0.answerTimeout = .milliseconds(300)
            $0.pingInterval = .milliseconds(200)
        }
        let redis = try Redis(server.url, options)
        try await serving(redis) {
            try await until("connected") { redis.isConnected }
            try server.freeze(true)
            let error = try await failure { try await redis.command("PING") }
            guard case .lost(let text) = error else { throw error }
            #expect(text.contains("no answer"))
            // The quiet one is found out by its ping.
            try await until("away") { !redis.isConnected }
            try server.freeze(false)
            try await until("connected") { redis.isConnected }
            try server.tell("CLIENT PAUSE 100 ALL")
            #expect(try await redis.command("ECHO", "late").text == "late")
        }
    }

    @Test("an answer that is too large ends the connection, not the process") func large() async throws {
        let server = try RedisServer()
        let options = RedisOptions.quick.with {
            $0.maxAnswerBytes = 100_000
            $0.patience = .seconds(10)
        }
        let redis = try Redis(server.url, options)
        try await serving(redis) {
            try await redis.command("SETRANGE", "x", "99000", "y")
            #expect(try await redis.command("GET", "x").text?.utf8.count == 99_001)
            try await redis.command("SETRANGE", "x", "200000", "y")
            let error = try await failure { try await redis.command("GET", "x") }
            guard case .lost(let text) = error else { throw error }
            #expect(text.contains("too large"))
            let script = "local t = {} for i = 1, 60000 do t[i] = i end return t"
            let many = try await failure { try await redis.command("EVAL", script, "0") }
            guard case .lost = many else { throw many }
            #expect(try await redis.command("ECHO", "fine").text == "fine")
        }
    }

    @Test("one Redis serves one server after another, and not two at once") func servers() async throws {
        let server = try RedisServer()
        let redis = try Redis(server.url, .quick.with { $0.patience = .seconds(10) })
        for round in 1...3 {
            try await serving(redis) {
                #expect(try await redis.command("INCR", "rounds").integer == round)
                if round == 2 {
                    try await serving(redis) {
                        try await redis.command("PING")
                    }
                    try await redis.command("PING")
                }
            }
        }
    }
}
