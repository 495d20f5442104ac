import Gale
import GaleTesting
import Testing

private final class Echo: WebSocketHandler {
    var log: Recorder?
    convenience init(_ log: Recorder) {
        self.init()
        self.log = log
    }
    override func prepare() async throws {
        if cookie("blocked") != nil { throw HTTPError(403) }
    }
    override func open() async throws { log?.add("open \(cookie("name") ?? "-") \(try query("q") ?? "-")") }
    override func message(_ text: String) async throws {
        if text == "throw" { throw HTTPError(500) }
        if text == "close" { return try close(code: 3001, reason: "asked") }
        if text == "slow" { try await sleep(for: .milliseconds(50)) }
        if text == "hang" {
            log?.add("hang")
            do { try await sleep(for: .seconds(60)) } catch { log?.add("cancelled") }
        }
        try await send(text)
    }
    override func message(_ bytes: [UInt8]) async throws { try await send(bytes) }
    override func onPong(_ payload: [UInt8]) { log?.add("pong \(payload)") }
    override func onClose() async {
        await Task.yield()
        log?.add("close \(closeCode ?? 0) \(closeReason ?? "")")
    }
    override func selectSubprotocol(_ offered: [String]) -> String? { offered.contains("b") ? "b" : nil }
}

/// Reads its messages itself.
private final class Reader: WebSocketHandler {
    var log: Recorder?
    convenience init(_ log: Recorder) {
        self.init()
        self.log = log
    }
    override func open() async throws {
        var count = 0
        for try await message in messages {
            count += 1
            if message == .text("rest") { break }
            if message == .text("slow") { try await sleep(for: .milliseconds(50)) }
            if case .binary = message {
                try await send(json: message.json([Int].self).reduce(0, +))
            } else {
                try await send("read \(count)")
            }
        }
        log?.add("read \(count)")
    }
    override func message(_ text: String) async throws {
        var iterator = messages.makeAsyncIterator()
        guard let next = try await iterator.next() else { return }
        try await send("\(text) then \(next)")
    }
    override func onClose() async { log?.add("close \(closeCode ?? 0)") }
}

/// Throws what it was thrown elsewhere.
private final class Relay: WebSocketHandler {
    override func message(_ text: String) async throws {
        switch text {
        case "closed": try await Self.gone.send("x")
        case "cancelled": throw CancellationError()
        default:
            try close(code: 3001)
            try await send("late")
        }
    }
    /// A handler without a socket: what is sent on it fails as on one that is closed.
    private static var gone: WebSocketHandler { WebSocketHandler() }
}

@Suite struct WebSocketTests {
    private static func application(_ log: Recorder = Recorder()) -> Application {
        var settings = Settings.quiet
        settings.allowedOrigins = ["https://friend.example"]
        settings.server.webSockets.maxMessageBytes = 16 << 20
        return Application(settings: settings) {
            Route("/echo", make: { Echo(log) })
            Route("/reader", make: { Reader(log) })
        }
    }

    @Test("WS-01: open, message, close", arguments: TestMode.allCases)
    func echo(_ mode: TestMode) async throws {
        let log = Recorder()
        try await Self.application(log).test(mode) { client in
            client.cookies["name"] = "ann"
            let socket = try await client.webSocket("/echo?q=5", headers: ["Sec-WebSocket-Protocol": "a, b"])
            #expect(socket.headers["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")  // WS-03
            #expect(socket.headers["Sec-WebSocket-Protocol"] == "b")  // WS-06
            socket.send("hello")
            #expect(try await socket.receive() == .text("hello"))
            socket.send([0, 255])
            #expect(try await socket.receive() == .binary([0, 255]))
            socket.ping([1])
            #expect(try await socket.receive() == .pong([1]))
            socket.close(1000, "bye")
            #expect(try await socket.receive() == .close(1000, ""))
            #expect(try await log.wait(for: 2) == ["open ann 5", "close 1000 bye"])  // WS-20
        }
    }

    @Test("WS-17: messages read one by one by the handler itself", arguments: TestMode.allCases)
    func reading(_ mode: TestMode) async throws {
        let log = Recorder()
        try await Self.application(log).test(mode) { client in
            let socket = try await client.webSocket("/reader")
            socket.send("slow")
            for _ in 1..<100 { socket.send("x") }
            for count in 1...100 { #expect(try await socket.receive() == .text("read \(count)")) }
            socket.send(Array("[1, 2, 3]".utf8))
            #expect(try await socket.receive() == .text("6"))
            socket.send("rest")
            socket.send("a")
            socket.send("b")
            #expect(try await socket.receive() == .text("a then text(\"b\")"))
            socket.close(1000)
            #expect(try await socket.receive() == .close(1000, ""))
            #expect(try await log.wait(for: 2) == ["read 102", "close 1000"])

            let leaving = try await client.webSocket("/reader")
            leaving.send("x")
            #expect(try await leaving.receive() == .text("read 1"))
            leaving.drop()
            #expect(try await log.wait(for: 4).suffix(2) == ["read 1", "close 1006"])

            let wrong = try await client.webSocket("/reader")
            wrong.send(Array("[1, 2".utf8))
            #expect(try await wrong.receive() == .close(1007, ""))
        }
    }

    @Test("WS-17: one at a time, in order") func order() async throws {
        try await Self.application().test { client in
            let socket = try await client.webSocket("/echo")
            for index in 0..<20 { socket.send(index % 5 == 0 ? "slow" : "\(index)") }
            for index in 0..<20 { #expect(try await socket.receive() == .text(index % 5 == 0 ? "slow" : "\(index)")) }
        }
    }

    @Test("a large message", arguments: TestMode.allCases)
    func large(_ mode: TestMode) async throws {
        try await Self.application().test(mode) { client in
            let socket = try await client.webSocket("/echo")
            let bytes = [UInt8](repeating: 9, count: 5_000_000)
            socket.send(bytes)
            #expect(try await socket.receive() == .binary(bytes))
        }
    }

    @Test("WS-05, Advisory A9: origins") func origin() async throws {
        let log = Recorder()
        try await Self.application(log).test { client in
            for (origin, allowed) in [
                ("http://localhost", true), ("https://friend.example", true), ("http://evil.example", false),
                ("null", false), ("HTTP://LOCALHOST:80", true), ("http://localhost:81", false),
                ("http://localhost.evil.example", false), ("http://evil.example/localhost", false),
                ("http://localhost@evil.example", false), ("https://friend.example.evil.example", false),
                ("https://friend.example:444", false), ("localhost", false), ("file://", false),
            ] {
                if allowed {
                    _ = try await client.webSocket("/echo", headers: ["Origin": origin])
                } else {
                    await #expect(throws: TestError.self) {
                        _ = try await client.webSocket("/echo", headers: ["Origin": origin])
                    }
                }
            }
        }
        #expect(log.events.filter { $0.hasPrefix("open") }.count == 3)
        try await Self.application().test { client in
            // The older field stands for it where it is missing.
            _ = try await client.webSocket("/echo", headers: ["Sec-WebSocket-Origin": "http://localhost"])
            await #expect(throws: TestError.self) {
                _ = try await client.webSocket("/echo", headers: ["Sec-WebSocket-Origin": "http://evil.example"])
            }
        }
    }

    @Test("an error about another socket, or of another task, closes this one with 1011")
    func errorsOfOthers() async throws {
        let log = Recorder()
        try await Application(settings: .recording(log)) { Route("/relay", Relay.self) }.test { client in
            for what in ["closed", "cancelled"] {
                let socket = try await client.webSocket("/relay")
                socket.send(what)
                #expect(try await socket.receive() == .close(1011, ""))
            }
            // That its own is closing is none.
            let socket = try await client.webSocket("/relay")
            socket.send("own")
            #expect(try await socket.receive() == .close(3001, ""))
        }
        #expect(log.events.filter { $0.contains("uncaught error in a WebSocket") }.count == 2)
    }

    @Test("WS-20: prepare runs before the handshake, with cookies, and may refuse") func refusals() async throws {
        try await Self.application().test { client in
            let plain = try await client.get("/echo")
            #expect(plain.status >= 400)
            #expect(try await client.post("/echo").status == 405)
            client.cookies["blocked"] = "1"
            await #expect(throws: TestError.self) { _ = try await client.webSocket("/echo") }
        }
    }

    @Test("closing from the handler, and by what it throws") func closing() async throws {
        let log = Recorder()
        try await Self.application(log).test { client in
            let asked = try await client.webSocket("/echo")
            asked.send("close")
            #expect(try await asked.receive() == .close(3001, "asked"))
            let thrown = try await client.webSocket("/echo")
            thrown.send("throw")
            #expect(try await thrown.receive() == .close(1011, ""))
            let events = try await log.wait(for: 4)
            #expect(events.filter { $0.hasPrefix("close") }.count == 2)
        }
    }

    @Test("a broken connection cancels the message, then onClose runs", arguments: TestMode.allCases)
    func broken(_ mode: TestMode) async throws {
        let log = Recorder()
        try await Self.application(log).test(mode) { client in
            let socket = try await client.webSocket("/echo")
            socket.send("hang")
            _ = try await log.wait(for: 2)
            socket.drop()
            #expect(try await log.wait(for: 4) == ["open - -", "hang", "cancelled", "close 1006 "])
        }
    }

    @Test("WS-21: 1001 when the server stops") func stop() async throws {
        let log = Recorder()
        var socket: TestWebSocket?
        try await Self.application(log).test(.live) { client in
            let opened = try await client.fresh().webSocket("/echo")
            opened.send("x")
            #expect(try await opened.receive() == .text("x"))
            socket = opened
        }
        #expect(try await socket?.receive() == .close(1001, "server is stopping"))
        #expect(log.events.last?.hasPrefix("close 100") == true)
    }
}
