import Gale
import Testing

@testable import GaleRedis

/// What stands beside a log in Redis: it is of that log alone, and cannot stop it.
@Suite(.serialized) struct LogMarkTests {
    @Test("logs of one name in two databases are two; a presence, too") func databases() async throws {
        let server = try RedisServer()
        let (a, b) = (try Reader(server.url), try Reader(server.url + "?db=1"))
        let here = RedisPresence("people", on: a.redis) { _ in }
        let there = RedisPresence("people", on: b.redis) { _ in }
        here.enter("ada")
        try await serving(a.redis, b.redis) {
            for index in 0..<5 {
                try await a.log.append("a\(index)", unique: "\(index)")
                try await b.log.append("b\(index)", unique: "\(index)")
            }
            try await a.has(5)
            try await b.has(5)
            #expect(a.texts == (0..<5).map { "a\($0)" })
            #expect(b.texts == (0..<5).map { "b\($0)" })
            #expect(try await b.redis.command("XLEN", "log") == .integer(5))
            #expect(here.people == ["ada"] && there.people.isEmpty)
        }
    }

    @Test("no log's name is another's mark") func names() async throws {
        let server = try RedisServer()
        let redis = try Redis(server.url, .quick)
        let entries = List<String>()
        let names = ["log", "log:settling", "log:epoch", "log:key:k", "log:k", "3:log:k"]
        let logs = names.map { name in RedisLog(name, on: redis) { entries.add(name + " " + $0.text) } }
        for log in logs { log.open() }
        try await serving(redis) {
            for log in logs { try await log.append("x", unique: "k") }
            for log in logs { try await log.append("y") }
            try await until("all") { entries.count == 2 * names.count }
            #expect(Set(entries.all) == Set(names.flatMap { [$0 + " x", $0 + " y"] }))
            let reserved = RedisLog("gale-log:settling:log", on: redis) { _ in }
            reserved.open()
            #expect(try await failure { try await reserved.append("x") } == .closed)
        }
    }

    @Test("a mark that is something else is replaced") func wrong() async throws {
        let server = try RedisServer()
        let (a, b) = (try Reader(server.url), try Reader(server.url))
        try await serving(a.redis, b.redis) {
            try await a.log.append("one")
            var texts = ["one"]
            for key in ["epoch:log", "settling:log", "key:3:log:k"] {
                for set in ["RPUSH", "SET"] {
                    // Each time under a key that no reader knows.
                    let mark = "gale-log:\(key)" + (key.hasPrefix("key") ? set : "")
                    try server.tell("DEL \(mark)", "\(set) \(mark) x", "PEXPIRE \(mark) 600000")
                    if mark.contains("settling") && set == "SET" { try server.tell("PEXPIRE \(mark) 50") }
                    texts.append(key + set)
                    let entry = try await a.log.append(key + set, unique: key.hasPrefix("key") ? "k" + set : nil)
                    #expect(entry.text == key + set)
                }
            }
            try await a.has(7)
            #expect(a.texts == texts)
            let count = a.entries.count
            try await b.has(count)
            #expect(a.entries.all == b.entries.all)
        }
    }

    @Test("Redis forgets a log that expires, with its marks, and each append puts that off") func expires() async throws
    {
        let server = try RedisServer()
        let redis = try Redis(server.url, .quick.with { $0.keyLifetime = .milliseconds(500) })
        let log = RedisLog("log", on: redis, expires: .seconds(3)) { _ in }
        log.open()
        try await serving(redis) {
            try await log.append("one")
            for key in ["log", "gale-log:epoch:log"] {
                try await redis.command("PEXPIRE", key, "500")
            }
            try await log.append("two")
            for key in ["log", "gale-log:epoch:log"] {
                let left = try await redis.command("PTTL", key).integer ?? 0
                #expect(left > 1000 && left <= 3000, "\(key)")
            }
            // What is put back expires, too, also in its place among others.
            try await redis.command("XDEL", "log", try #require(log.recent.first).id)
            try server.tell("CLIENT KILL TYPE normal SKIPME yes")
            try await until("put back") { (try? await redis.command("XLEN", "log")) == .integer(2) }
            let left = try await redis.command("PTTL", "log").integer ?? 0
            #expect(left > 0 && left <= 3000)
            try await until("forgotten") { try await redis.command("DBSIZE") == .integer(0) }
        }
    }

    @Test("times that no clock can count are long ones") func times() {
        #expect(Duration.seconds(Int64.max).milliseconds == 1 << 52)
        #expect(Duration.seconds(-1 << 62).milliseconds == -1 << 52)
        #expect(Duration.microseconds(1500).milliseconds == 2)
    }
}
