import Gale
import GaleTesting
import Testing

/// Subscribes to what its query names; "NAME TEXT" is published to all others there, "-NAME" ends a subscription.
private final class Reader: WebSocketHandler {
    var topics = Topics.shared
    var log: Recorder?
    convenience init(_ topics: Topics, _ log: Recorder) {
        self.init()
        (self.topics, self.log) = (topics, log)
    }
    override func open() async throws {
        for name in try queryAll("to") {
            try subscribe(to: topics[name], whenSlow: query("drop") == nil ? nil : .dropOldest, limit: 100_000)
        }
        try await send("ready")
    }
    override func message(_ text: String) async throws {
        if text.hasPrefix("-") {
            let had = try unsubscribe(from: topics[String(text.dropFirst())])
            return try await send("\(had)")
        }
        let words = text.split(separator: " ", maxSplits: 1).map(String.init)
        try publish(words[1], to: topics[words[0]])
    }
    override func onLag(_ topic: String, dropped: Int) { log?.add("\(topic) \(dropped > 0)") }
    override func onClose() async { log?.add("closed \(closeCode ?? 0)") }
}

@Suite struct TopicTests {
    private let topics = Topics()
    private let log = Recorder()
    private var app: Application {
        Application(settings: .quiet) { [topics, log] in
            Route("/read", make: { Reader(topics, log) })
            Route(post: "/say/{name}") { (name: String, request: Request) in
                topics[name].publish(String(repairing: request.body.span))
                return "said"
            }
        }
    }

    private func reader(_ client: TestClient, _ query: String) async throws -> TestWebSocket {
        let socket = try await client.webSocket("/read?\(query)")
        #expect(try await socket.receive() == .text("ready"))
        return socket
    }

    @Test("all who subscribe get it, on all workers; others and its sender do not") func publish() async throws {
        try await app.test(.live, workers: 2) { client in
            var readers: [TestWebSocket] = []
            for _ in 0..<20 { readers.append(try await reader(client, "to=a&to=b")) }
            let other = try await reader(client, "to=b")
            topics["a"].publish("one")
            for reader in readers { #expect(try await reader.receive() == .text("one")) }
            topics["a"].publish([0, 255])
            for reader in readers { #expect(try await reader.receive() == .binary([0, 255])) }
            try topics["a"].publish(json: [1, 2])
            for reader in readers { #expect(try await reader.receive() == .text("[1,2]")) }
            readers[0].send("a from the first")
            for reader in readers.dropFirst() { #expect(try await reader.receive() == .text("from the first")) }
            #expect(try await client.post("/say/b", body: "two").text == "said")
            for reader in readers + [other] { #expect(try await reader.receive() == .text("two")) }
            readers[0].send("-a")
            #expect(try await readers[0].receive() == .text("true"))
            readers[0].send("-a")
            #expect(try await readers[0].receive() == .text("false"))
            // Topics of the same name elsewhere are others.
            Topic("a").publish("no")
            Topics()["a"].publish("no")
            topics["a"].publish("three")
            topics["b"].publish("four")
            #expect(try await readers[0].receive() == .text("four"))
            for reader in readers.dropFirst() {
                #expect(try await reader.receive() == .text("three"))
                #expect(try await reader.receive() == .text("four"))
            }
        }
    }

    @Test("what each publisher says comes in its order, nothing is lost or doubled", arguments: TestMode.allCases)
    func order(_ mode: TestMode) async throws {
        try await app.test(mode, workers: mode == .live ? 2 : 1) { client in
            let readers = [try await reader(client, "to=x"), try await reader(client, "to=x")]
            await withTaskGroup(of: Void.self) { group in
                for publisher in 0..<4 {
                    group.addTask { [topics] in
                        for number in 0..<250 { topics["x"].publish("\(publisher) \(number)") }
                    }
                }
            }
            for reader in readers {
                var next = [0, 0, 0, 0]
                for _ in 0..<1000 {
                    guard case .text(let text) = try await reader.receive() else {
                        Issue.record("no text")
                        return
                    }
                    let numbers = text.split(separator: " ").compactMap { Int($0) }
                    #expect(numbers[1] == next[numbers[0]])
                    next[numbers[0]] += 1
                }
            }
        }
    }

    @Test("a reader that is too slow is closed with 1013, or loses the oldest; others notice nothing")
    func slow() async throws {
        try await app.test(.live) { client in
            let slow = try await reader(client, "to=x")
            let dropping = try await reader(client, "to=x&drop=1")
            let quick = try await reader(client, "to=x")
            let piece = String(repeating: "x", count: 50_000)
            for number in 0..<400 {
                topics["x"].publish("\(number) \(piece)")
                #expect(try await quick.receive() == .text("\(number) \(piece)"))
            }
            var last = TestMessage.end
            while case let next = try await slow.receive(), next != .end { last = next }
            guard case .close(1013, _) = last else {
                Issue.record("the slow one was not closed with 1013: \(String(describing: last).prefix(50))")
                return
            }
            topics["x"].publish("end")
            var count = 0
            while case let next = try await dropping.receive(), next != .text("end") { count += 1 }
            #expect((1..<400).contains(count))
            #expect(log.events.contains("x true") && log.events.contains("closed 1013"))
        }
    }

    @Test("names that are none, and topics without anybody") func names() async throws {
        try await app.test { client in
            topics["nobody"].publish("x")
            for name in ["", String(repeating: "n", count: 300)] {
                let socket = try await client.webSocket("/read?to=\(name)")
                guard case .close = try await socket.receive() else {
                    Issue.record("\(name.count) bytes were a name")
                    continue
                }
            }
        }
    }
}
