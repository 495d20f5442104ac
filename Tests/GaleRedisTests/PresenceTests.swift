import Gale
import GaleRedis
import Testing

@Suite(.serialized) struct PresenceTests {
    private static let options = RedisOptions.quick.with { $0.presenceLifetime = .milliseconds(900) }

    @Test("who is there, over two processes") func people() async throws {
        let server = try RedisServer()
        let (a, b) = (try Redis(server.url, Self.options), try Redis(server.url, Self.options))
        let changes = List<[String]>()
        let here = RedisPresence("people", on: a) { changes.add($0) }
        let there = RedisPresence("people", on: b) { _ in }
        // Before the server runs.
        here.enter("ada")
        #expect(here.people == ["ada"])
        try await serving(a, b) {
            try await until("ada") { there.people == ["ada"] }
            there.enter("bob b")
            there.enter("ada")
            there.enter("ada")
            try await until("both") { here.people == ["ada", "bob b"] }
            // Twice here, once there: each counts.
            here.leave("ada")
            there.leave("ada")
            there.leave("nobody")
            try await Task.sleep(for: .milliseconds(200))
            #expect(here.people == ["ada", "bob b"])
            there.leave("ada")
            try await until("bob") { here.people == ["bob b"] && there.people == ["bob b"] }
            there.leave("bob b")
            try await until("nobody") { here.people.isEmpty }
            try await until("told") { changes.all.last == [] }
            #expect(changes.all.contains(["ada", "bob b"]))
            // The same twice is no change.
            for (first, second) in zip(changes.all, changes.all.dropFirst()) { #expect(first != second) }
            here.enter(String(repeating: "x", count: 513))
            #expect(here.people.isEmpty)
        }
    }

    @Test("who says nothing more is forgotten; who comes back, and an emptied Redis, come right")
    func forgotten() async throws {
        let server = try RedisServer()
        server.setDetour(true)
        let (a, b) = (try Redis(server.url, Self.options), try Redis("unix:" + server.detour, Self.options))
        let here = RedisPresence("people", on: a) { _ in }
        let there = RedisPresence("people", on: b) { _ in }
        here.enter("ada")
        there.enter("bob")
        try await serving(a, b) {
            try await until("both") { here.people == ["ada", "bob"] && there.people == ["ada", "bob"] }
            server.setDetour(false)
            try await until("cut") {
                try server.tell("CLIENT KILL TYPE normal SKIPME yes")
                return !b.isConnected
            }
            try await until("forgotten") { here.people == ["ada"] }
            #expect(there.people.contains("bob"))
            server.setDetour(true)
            try await until("back") { here.people == ["ada", "bob"] }
            try server.tell("FLUSHALL")
            try await until("put back") { try await a.command("ZCARD", "people") == .integer(2) }
            server.kill()
            try await until("away") { !a.isConnected && !b.isConnected }
            there.leave("bob")
            here.enter("eve")
            try server.start()
            try await until("right") { here.people == ["ada", "eve"] && there.people == ["ada", "eve"] }
        }
    }

    @Test("people leave with their server, or when nobody holds the presence") func leaving() async throws {
        let server = try RedisServer()
        // For so long that nothing expires.
        let options = RedisOptions.quick.with { $0.presenceLifetime = .seconds(600) }
        let (a, b) = (try Redis(server.url, options), try Redis(server.url, options))
        let here = RedisPresence("people", on: a) { _ in }
        try await serving(a) {
            let there = RedisPresence("people", on: b) { _ in }
            there.enter("bob")
            try await serving(b) {
                try await until("bob") { here.people == ["bob"] }
            }
            try await until("nobody") { here.people.isEmpty }
            var gone: RedisPresence? = RedisPresence("people", on: a) { _ in }
            gone?.enter("eve")
            try await until("eve") { here.people == ["eve"] }
            gone = nil
            try await until("nobody") { here.people.isEmpty }
        }
    }

    @Test("another kind of key is an error that passes") func wrong() async throws {
        let server = try RedisServer()
        try server.tell("SET people x")
        let redis = try Redis(server.url, Self.options)
        let here = RedisPresence("people", on: redis) { _ in }
        here.enter("ada")
        try await serving(redis) {
            try await until("connected") { redis.isConnected }
            try await Task.sleep(for: .milliseconds(100))
            #expect(here.people == ["ada"])
            try server.tell("DEL people")
            try await until("works") { try await redis.command("ZCARD", "people") == .integer(1) }
        }
    }
}
