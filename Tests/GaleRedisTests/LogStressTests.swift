import Gale
import GaleCore
import GaleRedis
import Testing

@Suite(.serialized) struct LogStressTests {
    /// Appends from many tasks of both, while the server is treated badly at random moments.
    private func run(
        _ server: RedisServer, _ options: RedisOptions, tasks: Int, each: Int, _ harm: @Sendable () async throws -> Void
    ) async throws {
        let (a, b) = (try Reader(server.url, options, keeping: 1000), try Reader(server.url, options, keeping: 1000))
        let late = try Reader(server.url, options, keeping: 1000)
        late.log.close()
        let given = List<RedisLogEntry>()
        try await serving(a.redis, b.redis, late.redis) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<tasks {
                    group.addTask {
                        for index in 0..<each {
                            let log = (task % 2 == 0 ? a : b).log
                            given.add(try await log.append("\(task) \(index)", unique: "\(task) \(index)"))
                        }
                    }
                }
                try await harm()
                try await group.waitForAll()
            }
            try await a.has(tasks * each)
            try await b.has(tasks * each)
            late.log.open()
            try await late.has(tasks * each)
        }
        // Every entry once, in the same order in all, and each task's in its own.
        #expect(a.entries.count == tasks * each)
        #expect(Set(a.texts).count == tasks * each)
        #expect(b.entries.all == a.entries.all)
        #expect(late.entries.all == a.entries.all)
        #expect(a.entries.all.map(\.position) == a.entries.all.map(\.position).sorted())
        for task in 0..<tasks {
            #expect(a.texts.filter { $0.hasPrefix("\(task) ") } == (0..<each).map { "\(task) \($0)" })
        }
        // What the callers were told is what stands there.
        #expect(Set(given.all.map(\.id)) == Set(a.entries.all.map(\.id)))
    }

    private func pause(upTo milliseconds: Int) async throws {
        try await Task.sleep(for: .milliseconds(Int.random(in: 0...milliseconds)))
    }

    @Test("killed with SIGKILL at random moments", arguments: [false, true])
    func killed(_ persistent: Bool) async throws {
        let server = try RedisServer(persistent: persistent)
        try await run(server, .quick.with { $0.settling = .seconds(2) }, tasks: 6, each: 100) {
            for _ in 0..<5 {
                try await pause(upTo: 30)
                server.kill()
                try await pause(upTo: 300)
                try server.start()
                // Until it takes entries again.
                try await until("settled") { try server.tell("EXISTS gale-log:epoch:log") == ":1" }
                try await until("settled") { try server.tell("EXISTS gale-log:settling:log") == ":0" }
            }
        }
    }

    @Test("connections are cut, paused and emptied at random moments") func cut() async throws {
        let server = try RedisServer()
        try await run(server, .quick, tasks: 6, each: 100) {
            for round in 0..<30 {
                try await pause(upTo: 10)
                switch round % 5 {
                case 0: try server.tell("CLIENT KILL TYPE normal SKIPME yes")
                case 1: try server.tell("CLIENT KILL TYPE pubsub")
                case 2: try server.tell("CLIENT PAUSE 50 ALL")
                case 3: try server.tell("SCRIPT FLUSH")
                default:
                    // With all connections: what is on its way to them at that moment is lost with them.
                    try server.tell("FLUSHALL", "CLIENT KILL TYPE pubsub", "CLIENT KILL TYPE normal SKIPME yes")
                }
            }
        }
    }
}
