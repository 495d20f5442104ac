import Gale
import GaleRedis
import Testing

/// What users see while a Redis goes and comes: nothing that is not so.
@Suite(.serialized) struct SettlingTests {
    @Test("nobody leaves the list while an emptied Redis is put together again; who left meanwhile, later")
    func nobodyLeaves() async throws {
        let server = try RedisServer()
        let (a, b) = (try Redis(server.url, .quick), try Redis(server.url, .quick))
        let changes = List<[String]>()
        let here = RedisPresence("people", on: a) { changes.add($0) }
        let there = RedisPresence("people", on: b) { _ in }
        here.enter("ada")
        there.enter("bob")
        there.enter("eve")
        try await serving(a, b) {
            try await until("all") { here.people == ["ada", "bob", "eve"] }
            let before = changes.count
            server.kill()
            try await until("away") { !a.isConnected && !b.isConnected }
            #expect(here.people == ["ada", "bob", "eve"])
            there.leave("eve")
            try server.start()
            try await until("back") { a.isConnected && b.isConnected }
            try await until("put back") { try await a.command("ZCARD", "people") == .integer(2) }
            try await until("eve has left") { here.people == ["ada", "bob"] }
            #expect(Array(changes.all.dropFirst(before)) == [["ada", "bob"]])
        }
    }

    @Test("a log has caught up when its history has come, and not without a connection") func caughtUp() async throws {
        let server = try RedisServer()
        let (a, late) = (try Reader(server.url), try Reader(server.url))
        try await serving(a.redis) {
            for index in 0..<100 { try await a.log.append("\(index)") }
        }
        #expect(try await !late.log.caughtUp(for: .milliseconds(50)))
        try await serving(late.redis) {
            #expect(try await late.log.caughtUp(for: .seconds(20)))
            #expect(late.entries.count == 100)
            server.kill()
            try await until("away") { !late.redis.isConnected }
            #expect(try await !late.log.caughtUp(for: .milliseconds(50)))
            try server.start()
            #expect(try await late.log.caughtUp(for: .seconds(20)))
        }
    }
}
