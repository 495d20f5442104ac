import Gale
import GaleTesting
import Testing

/// Says what it sees of its request, each time it is asked.
private final class Witness: WebSocketHandler {
    let loads = Recorder()

    override func loadCurrentUser() async throws -> String? {
        loads.add("load")
        return cookie("user")
    }
    override func open() async throws { try await send(seen()) }
    override func message(_ text: String) async throws {
        if text == "answer" {
            do {
                try setHeader("X-Late", "1")
                try write("late")
                try finish()
                return try await send("answered")
            } catch { return try await send("refused") }
        }
        try await send(text == "fields" ? fields() : seen())
    }
    override func onPing(_ payload: [UInt8]) { loads.add("ping \(request.path)") }
    override func selectSubprotocol(_ offered: [String]) -> String? { offered.last }

    private func seen() async throws -> String {
        let user = try await currentUser() ?? "-"
        let query = try query("q") ?? "-"
        let room: String = try pathParameter("room")
        return """
            \(request.method) \(request.target) \(request.path) \(request.queryString) \(request.host) \
            \(request.scheme) \(request.remoteAddress)=\(request.peerAddress) q=\(query) room=\(room) \
            user=\(user) loaded=\(loads.events.filter { $0 == "load" }.count) \(selectedSubprotocol ?? "-")
            """
    }
    private func fields() -> String {
        request.headers.map { "\($0.name)=\($0.value)" }.filter { $0.hasPrefix("X-") || $0.hasPrefix("x-") }
            .sorted().joined(separator: "|") + "|" + (request.header("X-LONG") ?? "").prefix(3)
            + "|\(request.header("sec-websocket-version") ?? "-")|\(request.header("x-none") ?? "-")"
    }
}

/// A socket's handler sees its request for as long as it is open, though nothing but a packed copy of it is kept.
@Suite struct SocketRequestTests {
    private static func application() -> Application {
        Application(settings: .quiet) { Route("/rooms/{room}", Witness.self) }
    }

    @Test("WS-20: the request, its user and what the route captured, in every message", arguments: TestMode.allCases)
    func request(_ mode: TestMode) async throws {
        try await Self.application().test(mode) { client in
            client.cookies["user"] = "ann"
            let socket = try await client.webSocket(
                "/rooms/a%20b?q=%C3%A9&r", headers: ["Sec-WebSocket-Protocol": "one, two"])
            guard case .text(let first) = try await socket.receive() else { throw Unexpected() }
            let address = mode == .memory ? "" : "127.0.0.1"
            #expect(first.hasPrefix("GET /rooms/a%20b?q=%C3%A9&r /rooms/a%20b q=%C3%A9&r "))
            #expect(first.hasSuffix(" http \(address)=\(address) q=é room=a b user=ann loaded=1 two"))
            for _ in 0..<3 {
                socket.send("again")
                #expect(try await socket.receive() == .text(first))
            }
            socket.ping([1])
            #expect(try await socket.receive() == .pong([1]))
            socket.send("again")
            #expect(try await socket.receive() == .text(first))
        }
    }

    @Test("WS-07: nothing can be answered behind the handshake")
    func answer() async throws {
        try await Self.application().test { client in
            let socket = try await client.webSocket("/rooms/1")
            _ = try await socket.receive()
            socket.send("answer")
            #expect(try await socket.receive() == .text("refused"))
        }
    }

    @Test("fields of every length and spelling") func fields() async throws {
        let long = String(repeating: "l", count: 300)
        let name = "X-" + String(repeating: "n", count: 200)
        try await Self.application().test { client in
            let socket = try await client.webSocket(
                "/rooms/1", headers: ["X-Long": long, "x-empty": "", name: "v", "X-Forwarded-For": "1.2.3.4"])
            _ = try await socket.receive()
            socket.send("fields")
            #expect(
                try await socket.receive()
                    == .text("X-Forwarded-For=1.2.3.4|X-Long=\(long)|\(name)=v|x-empty=|lll|13|-"))
        }
    }

    private struct Unexpected: Error {}
}
