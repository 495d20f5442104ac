import Testing

@testable import GaleRedis

@Suite struct LogWindowTests {
    private func entry(_ id: String, _ key: String? = nil) throws -> RedisLogEntry {
        RedisLogEntry(text: id, key: key ?? "key of \(id)", position: try #require(RedisLogPosition(id)))
    }

    private func ids(_ window: LogWindow) -> [String] { window.entries.map(\.id) }

    @Test("positions are those of Redis, in order, and bounded") func positions() throws {
        for text in ["0-0", "1-0", "1700000000000-12", "9007199254740991-9007199254740991"] {
            #expect(RedisLogPosition(text)?.text == text)
        }
        for text in [
            "", "1", "-", "1-", "-1", "1-2-3", "+1-0", "1-+1", " 1-0", "1-0 ", "a-0", "9007199254740992-0", "1--1",
        ] {
            #expect(RedisLogPosition(text) == nil, "\(text)")
        }
        let texts = ["0-0", "0-1", "1-0", "1-9", "1-10", "9-0", "10-0"]
        let positions = texts.compactMap { RedisLogPosition($0) }
        #expect(positions == positions.sorted())
        #expect(positions.count == texts.count)
    }

    @Test("what is new, once") func once() throws {
        var window = LogWindow(keeping: 3)
        for id in ["1-0", "2-0", "3-0", "4-0"] { #expect(window.take(try entry(id))) }
        #expect(ids(window) == ["2-0", "3-0", "4-0"])
        for id in ["1-0", "2-0", "4-0", "1-5"] { #expect(!window.take(try entry(id))) }
        #expect(window.seen.text == "4-0")
        #expect(window.contains(try entry("3-0").position))
        #expect(!window.contains(try entry("1-0").position))
    }

    @Test("late ones find their places while there is room") func late() throws {
        var window = LogWindow(keeping: 4)
        for id in ["5-0", "9-0", "7-0", "1-0"] { #expect(window.take(try entry(id))) }
        #expect(ids(window) == ["1-0", "5-0", "7-0", "9-0"])
        #expect(window.seen.text == "9-0")
        #expect(window.take(try entry("6-0")))
        #expect(ids(window) == ["5-0", "6-0", "7-0", "9-0"])
        #expect(!window.take(try entry("4-0")))
    }

    @Test("a key comes once; the later of two positions stands") func keys() throws {
        var window = LogWindow(keeping: 3)
        #expect(window.take(try entry("1-0", "k")))
        #expect(window.take(try entry("2-0")))
        #expect(!window.take(try entry("3-0", "k")))
        #expect(ids(window) == ["2-0", "3-0"])
        #expect(window.entry(under: "k")?.id == "3-0")
        #expect(!window.take(try entry("1-0", "k")))
        #expect(ids(window) == ["2-0", "3-0"])
        #expect(window.seen.text == "3-0")
        // What leaves the window is forgotten with its key.
        for id in ["4-0", "5-0", "6-0"] { #expect(window.take(try entry(id))) }
        #expect(window.entry(under: "k") == nil)
        #expect(window.take(try entry("7-0", "k")))
    }

    @Test("a position that is no entry is passed") func pass() throws {
        var window = LogWindow(keeping: 3)
        window.pass(try entry("5-0").position)
        window.pass(try entry("3-0").position)
        #expect(window.seen.text == "5-0")
        #expect(window.take(try entry("4-0")))
    }

    @Test("a message of the channel") func messages() throws {
        let message = try #require(LogMessage(Array("a 1-0 2-3 5 k e ythe text".utf8)))
        #expect(message.isAppended)
        #expect(message.previous.text == "1-0")
        #expect(message.entry == RedisLogEntry(text: "the text", key: "k e y", position: try entry("2-3").position))
        let empty = try #require(LogMessage(Array("i 0-0 2-3 0 ".utf8)))
        #expect(!empty.isAppended)
        #expect(empty.entry.text == "" && empty.entry.key == "")
        for text in [
            "", "a", "a 1-0", "x 1-0 2-0 0 ", "a 1-0 2-0 1 ", "a 1-0 2-0 -1 x", "a 1-0 2-0 x y", "a 1 2-0 0 ",
            "aa 1-0 2-0 0 ",
            "a 1-0 2-0 9223372036854775808 x", "a 1-0 2-0 0", String(repeating: "a", count: 1000),
        ] {
            #expect(LogMessage(Array(text.utf8)) == nil, "\(text)")
        }
    }
}
