import Gale
import GaleTesting
import Testing

@testable import GaleCore

/// Says what it is told to, and echoes the rest.
private final class Server: WebSocketHandler {
    var log: Recorder?
    convenience init(_ log: Recorder) {
        self.init()
        self.log = log
    }
    override func prepare() async throws {
        if path == "/refused" { throw HTTPError(401, headers: [("WWW-Authenticate", "Basic")]) }
        if path == "/slow" { try await sleep(for: .seconds(30)) }
        if path == "/moved" { return try redirect("/socket") }
    }
    override func open() async throws {
        log?.add("open \(cookie("name") ?? "-") \(request.header("X-Token") ?? "-") \(request.header("Origin") ?? "-")")
    }
    private var path: String { request.path }
    override func message(_ text: String) async throws {
        switch text {
        case "close": try close(code: 3001, reason: "asked")
        case "ping": try ping([1, 2])
        case "many": for index in 0..<100 { try await send("\(index)") }
        case "three and close":
            for index in 0..<3 { try await send("\(index)") }
            try close(code: 4000, reason: "that was it")
        default: try await send(text)
        }
    }
    override func message(_ bytes: [UInt8]) async throws { try await send(bytes) }
    override func onPing(_ payload: [UInt8]) { log?.add("ping \(payload)") }
    override func onPong(_ payload: [UInt8]) { log?.add("pong \(payload)") }
    override func onClose() async { log?.add("close \(closeCode ?? 0)") }
    override func selectSubprotocol(_ offered: [String]) -> String? { offered.last }
    override func checkOrigin(_ origin: String) -> Bool { true }
}

/// Asks another socket of the same server, on its own loop.
private final class Relay: WebSocketHandler {
    override func message(_ text: String) async throws {
        let there = try await WebSocketClient.connect("ws://\(request.header("Host") ?? "")/socket")
        let isHere = Worker.current != nil
        try await there.send(text)
        for try await message in there.messages {
            guard case .text(let text) = message else { break }
            try await send("\(text) by way of \(isHere && Worker.current != nil ? "this loop" : "another")")
            break
        }
        try await there.close()
    }
}

/// Opens WebSockets as a client: WS-19.
@Suite struct WebSocketClientTests {
    private static func application(_ log: Recorder = Recorder(), compression: WebSocketSettings.Compression = .none)
        -> Application
    {
        var settings = Settings.quiet
        settings.server.webSockets.compression = compression
        return Application(settings: settings) {
            Route("/socket", make: { Server(log) })
            Route("/refused", make: { Server(log) })
            Route("/moved", make: { Server(log) })
            Route("/slow", make: { Server(log) })
            Route("/relay", Relay.self)
        }
    }

    private struct Item: Codable, Equatable {
        var name: String
        var count: Int
    }

    @Test func messagesComeBack() async throws {
        try await Self.application().test(.live) { client in
            let socket = try await client.connect(webSocket: "/socket")
            // Whoever calls goes on where it was: the socket's loop is not for its work.
            #expect(Worker.current == nil)
            var messages = socket.messages.makeAsyncIterator()
            try await socket.send("grüße")
            #expect(Worker.current == nil)
            #expect(try await messages.next() == .text("grüße"))
            #expect(Worker.current == nil)
            let bytes = [UInt8](repeating: 7, count: 300_000)
            try await socket.send(bytes)
            #expect(try await messages.next() == .binary(bytes))
            try await socket.send(json: Item(name: "a", count: 2))
            #expect(try await messages.next()?.json(Item.self) == Item(name: "a", count: 2))
            #expect(socket.closeCode == nil && socket.subprotocol == nil)
            try await socket.close()
            #expect(socket.closeCode == 1000 && socket.closeReason == "")
            #expect(try await messages.next() == nil)
            await #expect(throws: WebSocketClosed.self) { try await socket.send("late") }
            try await socket.close()
        }
    }

    @Test(arguments: [WebSocketSettings.Compression.none, .eachMessage, .window])
    func compressedAsOffered(_ compression: WebSocketSettings.Compression) async throws {
        try await Self.application(compression: .window).test(.live) { client in
            var options = WebSocketClient.Options()
            options.compression = compression
            let socket = try await client.connect(webSocket: "/socket", options)
            let agreed = socket.headers.filter { $0.name.lowercased() == "sec-websocket-extensions" }
            #expect(agreed.count == (compression == .none ? 0 : 1))
            var messages = socket.messages.makeAsyncIterator()
            for count in [10, 100, 10_000, 100] {
                let text = String(repeating: "the same again, ", count: count)
                try await socket.send(text)
                #expect(try await messages.next() == .text(text))
            }
            try await socket.close()
        }
    }

    @Test func cookiesFieldsOriginAndSubprotocol() async throws {
        let log = Recorder()
        try await Self.application(log).test(.live) { client in
            client.cookies["name"] = "ann"
            var options = WebSocketClient.Options()
            options.subprotocols = ["a", "b"]
            options.headers = [("X-Token", "t")]
            options.origin = "http://elsewhere.example"
            let socket = try await client.connect(webSocket: "/socket", options)
            #expect(socket.subprotocol == "b")
            #expect(socket.headers.contains { $0.name == "Upgrade" && $0.value == "websocket" })
            #expect(try await log.wait(for: 1) == ["open ann t http://elsewhere.example"])
            try await socket.close(code: 4321, reason: "enough")
            #expect(try await log.wait(for: 2).last == "close 4321")
        }
    }

    @Test func pingsBothWays() async throws {
        let log = Recorder()
        try await Self.application(log).test(.live) { client in
            let socket = try await client.connect(webSocket: "/socket")
            try await socket.ping([9])
            try await socket.send("ping")
            #expect(try await log.wait(for: 3).dropFirst().sorted() == ["ping [9]", "pong [1, 2]"])
            await #expect(throws: WebSocketClosed.self) { try await socket.ping([UInt8](repeating: 0, count: 126)) }
            try await socket.close()
        }
    }

    @Test func theServerCloses() async throws {
        try await Self.application().test(.live) { client in
            let socket = try await client.connect(webSocket: "/socket")
            try await socket.send("three and close")
            var heard: [WebSocketMessage] = []
            for try await message in socket.messages {
                heard.append(message)
                // Closed long before all is read: what has come is not lost.
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(heard == [.text("0"), .text("1"), .text("2")])
            #expect(socket.closeCode == 4000 && socket.closeReason == "that was it")
        }
    }

    @Test func whoReadsSlowlyHoldsTheServerBack() async throws {
        try await Self.application().test(.live) { client in
            let socket = try await client.connect(webSocket: "/socket")
            try await socket.send("many")
            var count = 0
            for try await message in socket.messages {
                #expect(message == .text("\(count)"))
                count += 1
                if count % 30 == 0 { try await Task.sleep(for: .milliseconds(5)) }
                if count == 100 { break }
            }
            try await socket.close()
        }
    }

    @Test func refused() async throws {
        try await Self.application().test(.live) { client in
            let error = await #expect(throws: WebSocketConnectError.self) {
                _ = try await client.connect(webSocket: "/refused")
            }
            #expect(error?.description == "the server answered 401" && error?.status == 401)
            #expect(error?.headers.contains { $0 == ("WWW-Authenticate", "Basic") } == true)
        }
    }

    @Test func redirectsAreFollowedIfAskedFor() async throws {
        try await Self.application().test(.live) { client in
            let error = await #expect(throws: WebSocketConnectError.self) {
                _ = try await client.connect(webSocket: "/moved")
            }
            #expect(error?.status == 302)
            var options = WebSocketClient.Options()
            options.maxRedirects = 1
            let socket = try await client.connect(webSocket: "/moved", options)
            try await socket.close()
        }
    }

    @Test(arguments: [
        ("http://127.0.0.1/", "not a WebSocket URL: want ws://HOST:PORT/PATH or ws+unix:FILE:/PATH"),
        ("wss://127.0.0.1/", "wss:// needs TLS, which is not there yet"),
        ("ws+unix:/nowhere/at/all:/", "cannot connect to /nowhere/at/all: no such file or directory"),
    ])
    func thatCannotBe(_ url: String, _ sentence: String) async throws {
        let error = await #expect(throws: WebSocketConnectError.self) { _ = try await WebSocketClient.connect(url) }
        #expect(error?.description == sentence && error?.status == nil)
    }

    @Test func fieldsThatCannotBeSent() async throws {
        var options = WebSocketClient.Options()
        options.headers = [("X", "a\r\nb")]
        await #expect(throws: WebSocketConnectError.self) {
            _ = try await WebSocketClient.connect("ws://127.0.0.1:1/", options)
        }
        options.headers = [("Upgrade", "h2c")]
        await #expect(throws: WebSocketConnectError.self) {
            _ = try await WebSocketClient.connect("ws://127.0.0.1:1/", options)
        }
    }

    /// A handler's client lives on the handler's loop.
    @Test func inAHandler() async throws {
        try await Self.application().test(.live, workers: 2) { client in
            // The server sees the port in Host.
            let socket = try await client.connect(webSocket: "/relay")
            var messages = socket.messages.makeAsyncIterator()
            try await socket.send("hello")
            #expect(try await messages.next() == .text("hello by way of this loop"))
            try await socket.close()
        }
    }

    @Test func manyAtOnceFromManyTasks() async throws {
        try await Self.application().test(.live) { client in
            let socket = try await client.connect(webSocket: "/socket")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<20 { group.addTask { try await socket.send("\(index)") } }
                try await group.waitForAll()
            }
            var heard: Set<WebSocketMessage> = []
            for try await message in socket.messages {
                heard.insert(message)
                if heard.count == 20 { break }
            }
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        guard let other = try? await client.connect(webSocket: "/socket") else { return false }
                        try? await other.send("x")
                        var messages = other.messages.makeAsyncIterator()
                        let isRight = (try? await messages.next()) == .text("x")
                        try? await other.close()
                        return isRight
                    }
                }
                for await isRight in group { #expect(isRight) }
            }
            try await socket.close()
        }
    }

    // MARK: Cancelled, and let go of

    @Test func aReaderThatIsCancelledClosesIt() async throws {
        let log = Recorder()
        try await Self.application(log).test(.live) { client in
            let socket = try await client.connect(webSocket: "/socket")
            let reader = Task { for try await _ in socket.messages {} }
            try await Task.sleep(for: .milliseconds(20))
            reader.cancel()
            await #expect(throws: CancellationError.self) { try await reader.value }
            #expect(try await log.wait(for: 2).last == "close 1001")
        }
    }

    @Test func anAttemptThatIsCancelledEnds() async throws {
        try await Self.application().test(.live) { client in
            // Its `prepare` thinks for longer than anybody waits.
            let attempt = Task { try await client.connect(webSocket: "/slow") }
            try await Task.sleep(for: .milliseconds(50))
            attempt.cancel()
            await #expect(throws: CancellationError.self) { _ = try await attempt.value }
            var options = WebSocketClient.Options()
            options.connectTimeout = .milliseconds(50)
            let error = await #expect(throws: WebSocketConnectError.self) {
                _ = try await client.connect(webSocket: "/slow", options)
            }
            #expect(error?.description == "the server did not answer in time")
        }
    }

    @Test func oneThatNobodyHoldsIsClosed() async throws {
        let log = Recorder()
        try await Self.application(log).test(.live) { client in
            do {
                let socket = try await client.connect(webSocket: "/socket")
                try await socket.send("x")
            }
            #expect(try await log.wait(for: 2).last == "close 1000")
        }
    }

    @Test func aServerThatStopsClosesIt() async throws {
        try await Self.application().test(.live) { client in
            let socket = try await client.connect(webSocket: "/socket")
            client.stopServer()
            for try await _ in socket.messages {}
            #expect(socket.closeCode == 1001)
        }
    }

    @Test func inMemoryThereIsNone() async throws {
        try await Self.application().test(.memory) { client in
            _ = await #expect(throws: TestError.self) { _ = try await client.connect(webSocket: "/socket") }
        }
    }
}
