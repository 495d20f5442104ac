import Gale
import GaleTesting
import Testing

private final class Echo: WebSocketHandler {
    override func message(_ text: String) async throws { try await send(text) }
}

private final class Plain: WebSocketHandler {
    override var allowsCompression: Bool { false }
    override func selectSubprotocol(_ offered: [String]) -> String? { "invented" }
}

@Suite struct WebSocketSettingsTests {
    private static func app(_ change: (inout WebSocketSettings) -> Void) -> Application {
        var settings = Settings.quiet
        change(&settings.server.webSockets)
        return Application(settings: settings) {
            Route("/echo", Echo.self)
            Route("/plain", Plain.self)
        }
    }

    @Test("WS-14: compression is agreed on where settings, handler and client want it") func compression() async throws
    {
        let offer = ["Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"]
        let rows: [(WebSocketSettings.Compression, String, [String: String], Bool)] = [
            (.none, "/echo", offer, false), (.eachMessage, "/echo", offer, true), (.window, "/echo", offer, true),
            (.eachMessage, "/plain", offer, false), (.window, "/echo", [:], false),
        ]
        for (compression, path, headers, isAgreed) in rows {
            try await Self.app { $0.compression = compression }.test { client in
                let agreed = try await client.webSocket(path, headers: headers).headers["Sec-WebSocket-Extensions"]
                #expect((agreed?.hasPrefix("permessage-deflate") ?? false) == isAgreed, "\(compression) \(path)")
            }
        }
    }

    @Test("WS-14: a compressed message comes as what it says, and is answered so", arguments: TestMode.allCases)
    func messages(_ mode: TestMode) async throws {
        let app = Self.app {
            $0.compression = .eachMessage
            $0.compressionMinimumBytes = 1
        }
        try await app.test(mode) { client in
            let socket = try await client.webSocket(
                "/echo", headers: ["Sec-WebSocket-Extensions": "permessage-deflate"])
            // RFC 7692 7.2.3.1: "Hello".
            socket.send(compressed: [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00])
            // No shorter, so it goes as it is.
            #expect(try await socket.receive() == .text("Hello"))
            socket.send(String(repeating: "Hello ", count: 1000))
            guard case .compressed(let bytes) = try await socket.receive() else {
                Issue.record("not compressed")
                return
            }
            #expect(bytes.count < 100)
            socket.send(compressed: bytes)
            #expect(try await socket.receive() == .compressed(bytes))
            // Broken: RFC 7692 7.2.2 has no code of its own for it.
            socket.send(compressed: [0xff, 0xff, 0xff])
            guard case .close(let code, _) = try await socket.receive() else {
                Issue.record("not closed")
                return
            }
            #expect(code == 1007)
        }
    }

    @Test("WS-16: pings, and the end of who does not answer them") func pings() async throws {
        let app = Self.app {
            $0.pingInterval = .milliseconds(50)
            $0.pingTimeout = .milliseconds(40)
        }
        try await app.test(.live) { client in
            let socket = try await client.webSocket("/echo")
            guard case .ping = try await socket.receive() else {
                Issue.record("no ping")
                return
            }
            #expect(try await socket.receive() == .close(1000, "ping timed out"))
        }
    }

    @Test("a socket without messages is closed after its time") func idle() async throws {
        try await Self.app { $0.idleTimeout = .milliseconds(50) }.test(.live) { client in
            let socket = try await client.webSocket("/echo")
            #expect(try await socket.receive() == .close(1001, "idle for too long"))
        }
    }

    @Test("WS-06: a subprotocol that was not offered is the server's mistake") func subprotocol() async throws {
        try await Self.app { _ in }.test { client in
            _ = await #expect(throws: TestError.self) {
                _ = try await client.webSocket("/plain", headers: ["Sec-WebSocket-Protocol": "a, b"])
            }
        }
    }
}
