import Gale
import GaleCore
import GaleTesting
import Logging
import Testing

@testable import GaleRedis

@Suite(.serialized) struct ChannelTests {
    @Test("messages of channels and patterns, in order, to each subscriber") func messages() async throws {
        let server = try RedisServer()
        let redis = try Redis(server.url, .quick.with { $0.patience = .seconds(10) })
        let news = List<RedisMessage>()
        let all = List<RedisMessage>()
        // Before the server runs.
        let first = redis.subscribe(to: "news.a") { news.add($0) }
        try await serving(redis) {
            let second = redis.subscribe(toPattern: "news.*") { all.add($0) }
            let third = redis.subscribe(to: "news.a") { all.add($0) }
            try await until("subscribed") { first.isActive && second.isActive && third.isActive }
            let every = (0...255).map { UInt8($0) }
            #expect(try await redis.publish("one", to: "news.a") == 2)
            #expect(try await redis.publish(every, to: "news.b") == 1)
            #expect(try await redis.publish("", to: "news.a") == 2)
            try await until("three") { all.count == 5 && news.count == 2 }
            #expect(news.all.map(\.text) == ["one", ""])
            #expect(all.all.filter { $0.channel == "news.b" }.map(\.bytes) == [every])
            third.cancel()
            second.cancel()
            try await until("unsubscribed") { try await redis.publish("x", to: "news.a") == 1 }
            #expect(all.count == 5)
            #expect(!third.isActive)
        }
        #expect(!first.isActive)
        first.cancel()
    }

    @Test("subscribing and ending it in a row comes out right") func flapping() async throws {
        let server = try RedisServer()
        let redis = try Redis(server.url, .quick.with { $0.patience = .seconds(10) })
        let list = List<Int>()
        try await serving(redis) {
            try await until("connected") { redis.isConnected }
            for round in 0..<50 {
                let subscription = redis.subscribe(to: "c") { _ in list.add(round) }
                if round % 3 == 0 { try await until("active") { subscription.isActive } }
            }
            let last = redis.subscribe(to: "c") { _ in list.add(50) }
            try await until("active") { last.isActive }
            try await redis.publish("x", to: "c")
            try await until("came") { list.count == 1 }
            #expect(list.all == [50])
        }
    }

    @Test("subscriptions are made again after cuts and a restart") func again() async throws {
        let server = try RedisServer()
        let redis = try Redis(server.url, .quick.with { $0.patience = .seconds(20) })
        let list = List<String>()
        let subscription = redis.subscribe(to: "c") { list.add($0.text) }
        let other = redis.subscribe(toPattern: "[d]") { list.add($0.text) }
        try await serving(redis) {
            for round in 0..<4 {
                try await until("active") { subscription.isActive && other.isActive && redis.isConnected }
                try await until("published") { (try? await redis.publish("c\(round)", to: "c")) == 1 }
                try await until("published") { (try? await redis.publish("d\(round)", to: "d")) == 1 }
                // What is on its way to a connection is lost with it.
                try await until("came") { list.count == 2 * round + 2 }
                if round % 2 == 0 {
                    server.kill()
                    try await until("gone") { !subscription.isActive && !other.isActive }
                    try server.start()
                } else {
                    try await until("cut") {
                        try server.tell("CLIENT KILL TYPE pubsub")
                        return !subscription.isActive
                    }
                }
            }
        }
        #expect(list.all == (0..<4).flatMap { ["c\($0)", "d\($0)"] })
    }

    @Test("a channel that is not allowed leaves the others alone") func refused() async throws {
        let server = try RedisServer()
        try server.tell("ACL SETUSER default resetchannels &open*")
        let redis = try Redis(server.url, .quick.with { $0.patience = .seconds(10) })
        let list = List<String>()
        let closed = redis.subscribe(to: "closed") { list.add($0.text) }
        try await serving(redis) {
            let open = redis.subscribe(to: "open") { list.add($0.text) }
            try await until("active") { open.isActive }
            #expect(try await redis.publish("x", to: "open") == 1)
            try await until("came") { list.all == ["x"] }
            #expect(!closed.isActive)
            #expect(redis.isConnected)
            let error = try await failure { try await redis.publish("x", to: "closed") }
            guard case .server(let text) = error else { throw error }
            #expect(text.hasPrefix("NOPERM"))
        }
    }

    @Test("a subscription that is refused is made when Redis allows it") func refusedForAWhile() async throws {
        let server = try RedisServer()
        try server.tell("ACL SETUSER default resetchannels &open*")
        let reader = try Reader(server.url)
        let list = List<String>()
        let closed = reader.redis.subscribe(to: "closed") { list.add($0.text) }
        try await serving(reader.redis) {
            try await until("connected") { reader.redis.isConnected }
            // Without its channel a log has not caught up.
            #expect(try await !reader.log.caughtUp(for: .milliseconds(200)))
            #expect(!closed.isActive)
            try server.tell("ACL SETUSER default allchannels")
            try await until("active") { closed.isActive }
            #expect(try await reader.redis.publish("x", to: "closed") == 1)
            try await until("came") { list.all == ["x"] }
            try await reader.log.append("one")
            try await reader.has(1)
            #expect(try await reader.log.caughtUp(for: .seconds(20)))
        }
    }

    @Test("what passes by itself is asked for again soon", arguments: ["BUSY", "LOADING", "OOM"])
    func passing(_ error: String) async throws {
        let asked = List<String>()
        let fake = try FakeRedis { came in
            if came.isEmpty { return [] }
            if came.contains("PING") { return Array("+PONG\r\n".utf8) }
            asked.add(came)
            if asked.count < 5 { return Array("-\(error) not now\r\n".utf8) }
            return Array("*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n".utf8)
        }
        defer { fake.stop() }
        let redis = try Redis(fake.url, .quick)
        let subscription = redis.subscribe(to: "c") { _ in }
        try await serving(redis) {
            try await until("active") { subscription.isActive }
            #expect(asked.count == 5)
            // On the connection that stands.
            #expect(fake.accepted == 2)
        }
    }

    @Test("a topic reaches the sockets of all processes, once, in order") func topic() async throws {
        let server = try RedisServer()
        let redis = try Redis(server.url, .quick.with { $0.patience = .seconds(10) })
        let elsewhere = try Redis(server.url, .quick.with { $0.patience = .seconds(10) })
        let news = RedisTopic("redis-news", on: redis)
        // Another of the name, as another part of the program has it; and one that goes.
        let same = RedisTopic("redis-news", on: redis)
        let gone = Guarded<RedisTopic?>(RedisTopic("redis-gone", on: redis))
        gone.withLock { $0 = RedisTopic("redis-gone", on: redis) }
        // What another process has; in this one its `topic` is the same.
        let publisher = elsewhere
        TopicReader.topic.withLock { $0 = news.topic }
        var settings = Settings()
        settings.accessLog = false
        settings.logger = Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() }
        settings.services = [redis, elsewhere]
        let app = Application(settings: settings) { Route("/socket", TopicReader.self) }
        try await app.test(workers: 2) { client in
            let sockets = [try await client.webSocket("/socket"), try await client.fresh().webSocket("/socket")]
            try await until("active") { news.isActive && same.isActive && gone.withLock { $0?.isActive } == true }
            gone.withLock { $0 = nil }
            try await until("gone") { try await publisher.publish("tx", to: "redis-gone") == 0 }
            #expect(redis.feeds.withLock { $0.count } == 1)
            for index in 0..<100 {
                try await news.publish("\(index)")
                try await publisher.publish("t\(index)'", to: "redis-news")
            }
            try await news.publish([0, 255])
            for socket in sockets {
                for index in 0..<100 {
                    #expect(try await socket.receive() == .text("\(index)"))
                    #expect(try await socket.receive() == .text("\(index)'"))
                }
                #expect(try await socket.receive() == .binary([0, 255]))
            }
        }
    }
}

private final class TopicReader: WebSocketHandler {
    static let topic = Guarded<Topic?>(nil)
    override func open() async throws {
        if let topic = TopicReader.topic.withLock({ $0 }) { try subscribe(to: topic) }
    }
}
