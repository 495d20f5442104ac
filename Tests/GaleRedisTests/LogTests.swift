import Gale
import GaleRedis
import Testing

/// A log as another process would have it: with connections of its own.
final class Reader: Sendable {
    let redis: Redis
    let log: RedisLog
    let entries: List<RedisLogEntry>

    init(_ url: String, _ options: RedisOptions = .quick, keeping: Int = 200) throws {
        let entries = List<RedisLogEntry>()
        redis = try Redis(url, options)
        log = RedisLog("log", on: redis, keeping: keeping) { entries.add($0) }
        self.entries = entries
        log.open()
    }

    var texts: [String] { entries.all.map(\.text) }
    /// What its entries come over.
    var channel: String { "gale-log:entries:0:" + log.name }

    func has(_ count: Int) async throws { try await until("\(count) entries") { entries.count >= count } }
}

@Suite(.serialized) struct LogTests {
    @Test("entries come to all, in order, with their history to who comes late") func basics() async throws {
        let server = try RedisServer()
        let (a, b, late) = (try Reader(server.url), try Reader(server.url), try Reader(server.url))
        late.log.close()
        try await serving(a.redis, b.redis, late.redis) {
            let every = String(decoding: (0...127).map { UInt8($0) }, as: UTF8.self) + "é∞"
            let first = try await a.log.append("first", unique: "k 1")
            let second = try await b.log.append("")
            let third = try await a.log.append(every, unique: every)
            #expect(first.key == "k 1")
            #expect(first.position < second.position && second.position < third.position)
            try await a.has(3)
            try await b.has(3)
            #expect(a.entries.all == [first, second, third])
            #expect(b.entries.all == [first, second, third])
            #expect(late.entries.count == 0)
            late.log.open()
            late.log.open()
            try await late.has(3)
            let fourth = try await late.log.append("fourth")
            for reader in [a, b, late] {
                try await reader.has(4)
                #expect(reader.entries.all == [first, second, third, fourth])
                #expect(reader.log.recent == reader.entries.all)
                #expect(reader.log.waiting == 0)
            }
            #expect(RedisLogPosition(fourth.id) == fourth.position)
        }
    }

    @Test("the same key gives the entry it was, in all processes") func keys() async throws {
        let server = try RedisServer()
        let (a, b) = (try Reader(server.url, keeping: 2), try Reader(server.url, keeping: 2))
        try await serving(a.redis, b.redis) {
            let first = try await a.log.append("one", unique: "k")
            #expect(try await a.log.append("two", unique: "k") == first)
            #expect(try await b.log.append("three", unique: "k") == first)
            for index in 0..<4 { try await b.log.append("\(index)") }
            // It has left the history, but not the memory of keys.
            let again = try await a.log.append("four", unique: "k")
            #expect(again.position == first.position)
            try await a.has(5)
            try await b.has(5)
            #expect(a.texts == ["one", "0", "1", "2", "3"])
            #expect(b.texts == a.texts)
            #expect(try await b.redis.command("XLEN", "log") == .integer(2))
        }
    }

    @Test("a long history comes in pages; more than is kept does not come") func pages() async throws {
        let server = try RedisServer()
        let a = try Reader(server.url, keeping: 150)
        let late = try Reader(server.url, keeping: 150)
        late.log.close()
        try await serving(a.redis, late.redis) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<200 { group.addTask { try await a.log.append("\(index)") } }
                try await group.waitForAll()
            }
            try await a.has(200)
            late.log.open()
            try await late.has(150)
            #expect(late.entries.all == Array(a.entries.all.suffix(150)))
            // What is appended while nobody reads is read on coming back.
            late.log.close()
            try await until("closed") { try await failure { try await late.log.append("x") } == .closed }
            let more = try await a.log.append("more")
            late.log.open()
            try await late.has(151)
            #expect(late.entries.all.last == more)
        }
    }

    @Test("what was missed while the channel was cut is read") func cut() async throws {
        let server = try RedisServer()
        let (a, b) = (try Reader(server.url), try Reader(server.url))
        try await serving(a.redis, b.redis) {
            for round in 0..<20 {
                let kind = round % 2 == 0 ? "pubsub" : "normal"
                let cutter = Task { try server.tell("CLIENT KILL TYPE \(kind) SKIPME yes") }
                for index in 0..<10 { try await (index % 2 == 0 ? a : b).log.append("\(round) \(index)") }
                _ = try await cutter.value
            }
            try await a.has(200)
            try await b.has(200)
        }
        #expect(a.texts == (0..<20).flatMap { round in (0..<10).map { "\(round) \($0)" } })
        #expect(b.entries.all == a.entries.all)
    }

    @Test("killed and restarted empty: entries are put back, and go on", arguments: [false, true])
    func restarted(_ persistent: Bool) async throws {
        let server = try RedisServer(persistent: persistent)
        let (a, b, late) = (try Reader(server.url), try Reader(server.url), try Reader(server.url))
        late.log.close()
        try await serving(a.redis, b.redis, late.redis) {
            for index in 0..<70 { try await a.log.append("a\(index)", unique: "key\(index)") }
            try await b.has(70)
            server.kill()
            try await until("away") { !a.redis.isConnected && !b.redis.isConnected }
            // They wait, in their order.
            let waiting = (0..<30).map { index in Task { try await b.log.append("b\(index)") } }
            try await until("waiting") { b.log.waiting == 30 }
            try server.start()
            var ids: [RedisLogPosition] = []
            for task in waiting { ids.append(try await task.value.position) }
            #expect(Set(ids).count == 30)
            try await a.has(100)
            try await b.has(100)
            #expect(a.entries.all == b.entries.all)
            #expect(a.texts.prefix(70) == (0..<70).map { "a\($0)" }[...])
            #expect(a.entries.all.map(\.position) == a.entries.all.map(\.position).sorted())
            late.log.open()
            try await late.has(100)
            #expect(late.entries.all == a.entries.all)
            // Keys were put back, too.
            #expect(try await late.log.append("again", unique: "key3") == a.entries.all[3])
            #expect(try await late.redis.command("XLEN", "log") == .integer(100))
        }
        #expect(a.entries.count == 100)
    }

    @Test("emptied while all are connected") func flushed() async throws {
        let server = try RedisServer()
        let (a, b) = (try Reader(server.url), try Reader(server.url))
        try await serving(a.redis, b.redis) {
            for index in 0..<10 { try await a.log.append("\(index)") }
            try await b.has(10)
            try server.tell("FLUSHALL")
            try await b.log.append("10")
            try await a.has(11)
            try await b.has(11)
            #expect(a.texts == (0...10).map { "\($0)" })
            #expect(b.entries.all == a.entries.all)
            try await until("put back") { try await a.redis.command("XLEN", "log") == .integer(11) }
            // Only the stream is lost: the next entry shows it.
            try server.tell("DEL log")
            try await b.log.append("11")
            try await until("put back") { try await a.redis.command("XLEN", "log") == .integer(12) }
            try await a.has(12)
            #expect(b.entries.all == a.entries.all)
            let late = try Reader(server.url)
            try await serving(late.redis) {
                try await late.has(12)
                #expect(late.entries.all == a.entries.all)
            }
        }
    }

    @Test("ids go on rising when Redis' clock went back") func clock() async throws {
        let server = try RedisServer()
        let (a, b) = (try Reader(server.url), try Reader(server.url))
        try await serving(a.redis, b.redis) {
            try await until("connected") { a.redis.isConnected && b.redis.isConnected }
            // An entry of the year 2100: for what comes later the clock is behind.
            try await a.redis.command("XADD", "log", "4102444800000-5", "k", "future", "t", "future")
            try await a.log.append("one")
            try await a.has(2)
            server.kill()
            try await until("away") { !a.redis.isConnected && !b.redis.isConnected }
            try server.start()
            try await b.log.append("two")
            try await a.has(3)
            try await b.has(3)
            #expect(a.texts == ["future", "one", "two"])
            #expect(b.entries.all == a.entries.all)
            #expect(a.entries.all.map(\.id) == ["4102444800000-5", "4102444800000-6", "4102444800000-7"])
            // Emptied, and the first to append hasn't read anything of it: it has seen more.
            try server.tell("FLUSHALL")
            let last = try await a.log.append("three")
            #expect(last.id == "4102444800000-8")
        }
    }

    @Test("who comes back too late puts its entries into their places, and they are delivered late")
    func late() async throws {
        let server = try RedisServer()
        server.setDetour(true)
        let a = try Reader("unix:" + server.detour)
        let b = try Reader(server.url)
        try await serving(a.redis, b.redis) {
            try await a.log.append("one")
            try await b.has(1)
            b.log.close()
            try await until("closed") { try await failure { try await b.log.append("") } == .closed }
            // Only A has them.
            let two = try await a.log.append("two", unique: "two")
            let three = try await a.log.append("three")
            try await a.has(3)
            server.setDetour(false)
            server.kill()
            try await until("away") { !a.redis.isConnected && !b.redis.isConnected }
            try server.start()
            b.log.open()
            let four = try await b.log.append("four")
            try await b.has(2)
            #expect(b.texts == ["one", "four"])
            // The key of "two" is lost with it, and is used again meanwhile.
            let again = try await b.log.append("two", unique: "two")
            #expect(again.position > four.position)
            server.setDetour(true)
            try await a.has(4)
            try await b.has(4)
            #expect(b.texts == ["one", "four", "two", "three"])
            #expect(a.texts == ["one", "two", "three", "four"])
            let stream = try await b.redis.command("XRANGE", "log", "-", "+").array?.compactMap { $0.array?[0].text }
            #expect(stream == [a.entries.all[0].id, three.id, four.id, again.id])
            #expect(a.log.recent == b.log.recent)
            #expect(two.position < three.position)
        }
    }

    @Test("what waits is bounded; cancelled and closed ones are let go") func bounds() async throws {
        let server = try RedisServer()
        let options = RedisOptions.quick.with {
            $0.maxEntriesWaiting = 3
            $0.maxEntryBytesWaiting = 10_000
        }
        let a = try Reader(server.url, options)
        server.kill()
        try await serving(a.redis) {
            var tasks = (0..<3).map { index in Task { try await a.log.append("\(index)") } }
            try await until("full") { a.log.waiting == 3 }
            guard case .limit = try await failure({ try await a.log.append("x") }) else {
                Issue.record("no limit")
                return
            }
            tasks[1].cancel()
            await #expect(throws: CancellationError.self) { try await tasks[1].value }
            #expect(a.log.waiting == 2)
            let text = String(repeating: "x", count: 9990)
            guard case .limit = try await failure({ try await a.log.append(text) }) else {
                Issue.record("no limit")
                return
            }
            let huge = String(repeating: "x", count: 1 << 20)
            for (text, key) in [(huge, nil), ("", ""), ("", String(repeating: "k", count: 513))] {
                guard case .limit = try await failure({ try await a.log.append(text, unique: key) }) else {
                    Issue.record("no limit")
                    return
                }
            }
            try server.start()
            _ = try await tasks[0].value
            _ = try await tasks[2].value
            try await a.has(2)
            #expect(Set(a.texts) == ["0", "2"])
            server.kill()
            try await until("away") { !a.redis.isConnected }
            tasks = [Task { try await a.log.append("3") }]
            try await until("waits") { a.log.waiting == 1 }
            a.log.close()
            #expect(try await failure { _ = try await tasks[0].value } == .closed)
            a.log.open()
            tasks = [Task { try await a.log.append("4") }]
            try await until("waits") { a.log.waiting == 1 }
        }
        // The server has stopped.
        #expect(a.log.waiting == 0)
        guard case .away = try await failure({ try await a.log.append("5") }) else {
            Issue.record("not away")
            return
        }
    }

    @Test("Redis' own errors: no memory, no stream, read only") func errors() async throws {
        let server = try RedisServer()
        let (a, b) = (try Reader(server.url), try Reader(server.url))
        try await serving(a.redis, b.redis) {
            try await a.log.append("one")
            try server.tell("CONFIG SET maxmemory 1")
            guard case .server(let text) = try await failure({ try await a.log.append("two") }) else {
                Issue.record("no error")
                return
            }
            #expect(text.contains("OOM"))
            try server.tell("CONFIG SET maxmemory 0")
            try await a.log.append("three")
            // A replica takes nothing; it passes.
            try server.tell("REPLICAOF 127.0.0.1 1")
            let waiting = Task { try await b.log.append("four") }
            try await until("waits") { b.log.waiting == 1 }
            try server.tell("REPLICAOF NO ONE")
            _ = try await waiting.value
            try await a.has(3)
            try await b.has(3)
            #expect(a.texts == ["one", "three", "four"])
            #expect(b.entries.all == a.entries.all)
            // Emptied without memory to put anything back; it is put back when there is some.
            try server.tell("CONFIG SET maxmemory 1")
            try server.tell("FLUSHALL")
            try server.tell("CLIENT KILL TYPE normal SKIPME yes")
            try await until("back") { a.redis.isConnected && b.redis.isConnected }
            guard case .server(let again) = try await failure({ try await a.log.append("not") }) else {
                Issue.record("no error")
                return
            }
            #expect(again.contains("OOM"))
            try server.tell("CONFIG SET maxmemory 0")
            try await until("put back") {
                guard let length = try? await a.redis.command("XLEN", "log") else { return false }
                return length == .integer(3)
            }
            try server.tell("DEL log")
            try server.tell("SET log x")
            guard case .server(let wrong) = try await failure({ try await a.log.append("five") }) else {
                Issue.record("no error")
                return
            }
            #expect(wrong.contains("WRONGTYPE"))
            try server.tell("DEL log")
            try await until("works again") { (try? await a.log.append("six", unique: "six")) != nil }
            try await b.has(4)
            #expect(b.texts == ["one", "three", "four", "six"])
            try await until("put back") { try await a.redis.command("XLEN", "log") == .integer(4) }
            // What others put into the stream is none of ours, or an entry without a key.
            try await a.redis.command("XADD", "log", "*", "t", "foreign")
            try await a.redis.command("XADD", "log", "*", "x", "y")
            try await a.log.append("seven")
            try await b.has(6)
            #expect(b.texts.suffix(2) == ["foreign", "seven"])
            try await a.redis.publish("nonsense", to: a.channel)
            try await a.log.append("eight")
            try await b.has(7)
            #expect(b.texts.last == "eight")
        }
    }

    @Test("what was promised is put back, even if nobody got it before Redis was lost") func promised() async throws {
        let putBack = List<String>()
        // Appends, and loses it before it goes over the channel.
        let fake = try FakeRedis { came in
            if came.isEmpty { return [] }
            if came.contains("PING") { return Array("+PONG\r\n".utf8) }
            if came.contains("SUBSCRIBE") {
                return Array("*3\r\n$9\r\nsubscribe\r\n$22\r\ngale-log:entries:0:log\r\n:1\r\n".utf8)
            }
            if came.contains("run_id") { return Array("*4\r\n:1\r\n:0\r\n*0\r\n$0\r\n\r\n".utf8) }
            if came.contains("nextid") { return Array("*1\r\n*2\r\n$3\r\n5-7\r\n$5\r\nhello\r\n".utf8) }
            putBack.add(came)
            return Array(":0\r\n".utf8)
        }
        defer { fake.stop() }
        let reader = try Reader(fake.url)
        try await serving(reader.redis) {
            let entry = try await reader.log.append("hello", unique: "the key")
            #expect(entry.id == "5-7")
            #expect(putBack.count == 0)
            fake.cut()
            try await until("put back") { putBack.count >= 1 }
            let came = try #require(putBack.all.first)
            #expect(came.contains("\r\ngale-log:key:3:log:the key\r\n"))
            #expect(came.contains("\r\n5-7\r\n$7\r\nthe key\r\n$5\r\nhello\r\n"))
        }
        #expect(reader.entries.count == 0)
    }
}
