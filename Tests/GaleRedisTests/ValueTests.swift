import Testing

@testable import GaleRedis

@Suite struct ValueTests {
    @Test("texts, numbers and elements of answers") func values() {
        #expect(RedisValue.bytes([104, 105]).text == "hi")
        #expect(RedisValue.bytes([255]).text == "\u{FFFD}")
        #expect(RedisValue.status("OK").text == "OK")
        #expect(RedisValue.integer(5).text == nil)
        #expect(RedisValue.integer(5).integer == 5)
        #expect(RedisValue.bytes(Array("-12".utf8)).integer == -12)
        #expect(RedisValue.bytes(Array("x".utf8)).integer == nil)
        #expect(RedisValue.status("1").integer == nil)
        #expect(RedisValue.array([.null]).array == [.null])
        #expect(RedisValue.null.array == nil)
        #expect(RedisValue.error("x").text == nil)
    }

    @Test("errors that pass by themselves, and those that don't") func passing() {
        for text in [
            "LOADING Redis is loading", "READONLY You can't write", "BUSY", "MASTERDOWN x",
            "NOAUTH Authentication required.",
            "ERR Error running script (call to f_0): @user_script:9: -READONLY You can't write",
        ] {
            #expect(RedisError.server(text).isPassing, "\(text)")
        }
        for text in ["WRONGTYPE x", "OOM command not allowed", "ERR x", "BUSYKEY x", "", "ERR it is READONLY"] {
            #expect(!RedisError.server(text).isPassing, "\(text)")
        }
        #expect(!RedisError.closed.isPassing)
        #expect(!RedisError.away("LOADING").isPassing)
    }

    @Test("commands in Redis' protocol") func commands() throws {
        #expect(
            try Command.encode(Command.words("GET", "", "é")) == Array("*3\r\n$3\r\nGET\r\n$0\r\n\r\n$2\r\né\r\n".utf8))
        #expect(throws: RedisError.self) { try Command.encode([]) }
    }

    @Test("random names are no two alike") func names() {
        let names = (0..<1000).map { _ in RandomName.make() }
        #expect(Set(names).count == 1000)
        #expect(names.allSatisfy { $0.utf8.count == 32 })
    }
}
