import Gale
import Testing

@testable import GaleRedis

@Suite(.serialized) struct ByteStringTests {
    private static let (composed, decomposed) = ("\u{e9}", "e\u{301}")

    @Test("bytes are compared, not what they look like") func comparing() {
        let (a, b) = (ByteString(Self.composed), ByteString(Self.decomposed))
        #expect(Self.composed == Self.decomposed)
        #expect(a != b && b < a && !(a < b))
        #expect(Set([a, b, ByteString(a.bytes)]).count == 2)
        #expect(a.text.utf8.elementsEqual(Self.composed.utf8))
        #expect(ByteString([255]).text == "\u{FFFD}")
        #expect(RedisMessage(channel: Self.composed, bytes: []) != RedisMessage(channel: Self.decomposed, bytes: []))
    }

    @Test("keys, names of logs and of people that look alike are what they are in Redis") func alike() async throws {
        let server = try RedisServer()
        let reader = try Reader(server.url)
        let entries = List<String>()
        let logs = [Self.composed, Self.decomposed].map { name in
            RedisLog(name, on: reader.redis) { entries.add("\(Array(name.utf8)) \($0.text)") }
        }
        for log in logs { log.open() }
        let people = RedisPresence("people", on: reader.redis) { _ in }
        for name in [Self.composed, Self.decomposed, "\u{301}x"] { people.enter(name) }
        try await serving(reader.redis) {
            let first = try await reader.log.append("one", unique: Self.composed)
            try await reader.has(1)
            let second = try await reader.log.append("two", unique: Self.decomposed)
            #expect(first != second)
            try await reader.has(2)
            #expect(reader.texts == ["one", "two"])
            for log in logs { try await log.append("x") }
            try await until("both") { entries.count == 2 }
            #expect(Set(entries.all) == Set(logs.map { "\(Array($0.name.utf8)) x" }))
            try await until("three") { try await reader.redis.command("ZCARD", "people") == .integer(3) }
            people.leave(Self.decomposed)
            try await until("two") { try await reader.redis.command("ZCARD", "people") == .integer(2) }
            try await until("two") { people.people.count == 2 }
            #expect(Set(people.people.map { Array($0.utf8) }) == [Array(Self.composed.utf8), Array("\u{301}x".utf8)])
        }
    }
}
