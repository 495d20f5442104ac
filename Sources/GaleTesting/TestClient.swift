public import Gale
internal import GaleCore

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// A client of an application under test. It keeps cookies, and connections for more requests; requests may run at
/// the same time, each on its own connection.
public final class TestClient: Sendable {
    /// How long it waits for bytes of the server.
    public static let limit = Duration.seconds(20)

    private let server: Server
    private let port: Int?
    private let open: @Sendable () async throws -> any ByteStream
    private let state: Guarded<State>

    private struct State {
        var cookies: [String: String] = [:]
        var idle: [ResponseReader] = []
        var streams: [any ByteStream] = []
    }

    /// `port`: of the server, if it has one.
    init(_ server: Server, port: Int?, _ open: @escaping @Sendable () async throws -> any ByteStream) {
        self.server = server
        self.port = port
        self.open = open
        state = Guarded(State())
    }

    /// The cookies that are sent: those that the server has set, or a test.
    public var cookies: [String: String] {
        get { state.withLock { $0.cookies } }
        set { state.withLock { $0.cookies = newValue } }
    }

    /// Another browser: no cookies, its own connections.
    public func fresh() -> TestClient { TestClient(server, port: port, open) }

    /// Begins a graceful stop of the server, as a signal does.
    public func stopServer() { server.stop() }

    /// Waits until the server has stopped.
    public func serverStopped() async { await server.join() }

    // MARK: Requests

    /// GET.
    public func get(_ target: String, headers: [String: String] = [:]) async throws -> TestResponse {
        try await request("GET", target, headers: headers)
    }

    /// HEAD.
    public func head(_ target: String, headers: [String: String] = [:]) async throws -> TestResponse {
        try await request("HEAD", target, headers: headers)
    }

    /// DELETE.
    public func delete(_ target: String, headers: [String: String] = [:]) async throws -> TestResponse {
        try await request("DELETE", target, headers: headers)
    }

    /// POST of text.
    public func post(_ target: String, body: String = "", headers: [String: String] = [:]) async throws -> TestResponse
    {
        try await request("POST", target, headers: headers, body: Array(body.utf8))
    }

    /// POST of bytes.
    public func post(
        _ target: String, body: [UInt8], headers: [String: String] = [:]
    ) async throws -> TestResponse {
        try await request("POST", target, headers: headers, body: body)
    }

    /// POST of a form.
    public func post(
        _ target: String, form: [String: String], headers: [String: String] = [:]
    ) async throws -> TestResponse {
        let pairs = form.sorted { $0.key < $1.key }.map { "\(TestClient.encode($0))=\(TestClient.encode($1))" }
        var headers = headers
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return try await request("POST", target, headers: headers, body: Array(pairs.joined(separator: "&").utf8))
    }

    /// POST of a value as JSON.
    public func post(
        _ target: String, json: some Encodable, headers: [String: String] = [:]
    ) async throws -> TestResponse {
        var headers = headers
        headers["Content-Type"] = "application/json"
        return try await request("POST", target, headers: headers, body: Array(JSONEncoder().encode(json)))
    }

    /// PUT of text.
    public func put(_ target: String, body: String = "", headers: [String: String] = [:]) async throws -> TestResponse {
        try await request("PUT", target, headers: headers, body: Array(body.utf8))
    }

    /// PATCH of text.
    public func patch(_ target: String, body: String = "", headers: [String: String] = [:]) async throws -> TestResponse
    {
        try await request("PATCH", target, headers: headers, body: Array(body.utf8))
    }

    /// Any method. Redirects are not followed. Throws `TestError` when the server doesn't answer.
    public func request(
        _ method: String, _ target: String, headers: [String: String] = [:], body: [UInt8] = []
    ) async throws -> TestResponse {
        var reader = try await connection()
        let started = ContinuousClock.now
        reader.reader.stream.send(head(method, target, headers, length: body.count) + body)
        guard let head = try await reader.head() else { throw TestError("the server closed without an answer") }
        let received = try await reader.body(of: head, method: method)
        let response = TestResponse(
            status: head.status, reason: head.reason, headers: head.headers, body: received,
            duration: ContinuousClock.now - started)
        keepCookies(head.headers)
        state.withLock { [reader] state in
            if reader.isReusable && !reader.reader.isClosed { state.idle.append(reader) }
        }
        return response
    }

    /// Sends raw bytes on a new connection, and gives all that comes until the server closes.
    public func raw(_ text: String) async throws -> String {
        var reader = try await newConnection()
        reader.reader.stream.send(Array(text.utf8))
        return String(decoding: await reader.reader.takeAll(), as: UTF8.self)
    }

    /// Sends a request and leaves after `delay`, without waiting for the answer. `missing`: bytes of the body that are
    /// announced and never sent.
    public func leave(
        after delay: Duration, _ method: String, _ target: String, headers: [String: String] = [:], body: [UInt8] = [],
        missing: Int = 0
    ) async throws {
        let reader = try await newConnection()
        reader.reader.stream.send(head(method, target, headers, length: body.count + missing) + body)
        try await Task.sleep(for: delay)
        reader.reader.stream.close()
    }

    /// Opens a WebSocket that keeps to the protocol as any client does, with the cookies: it answers pings, puts
    /// fragments together, compresses. Over a socket only (`TestMode.live`). Throws `WebSocketConnectError`, `TestError`.
    public func connect(
        webSocket target: String, _ options: WebSocketClient.Options = WebSocketClient.Options()
    ) async throws -> WebSocketClient {
        guard let port else { throw TestError("a WebSocketClient needs TestMode.live; webSocket(_:) does without") }
        var options = options
        if let cookie = cookieField { options.headers.append(("Cookie", cookie)) }
        return try await WebSocketClient.connect("ws://127.0.0.1:\(port)\(target)", options)
    }

    /// Opens a WebSocket that sends what it is told and shows each frame as it came, for tests of the protocol itself,
    /// and for those in memory. Throws `TestError` when the server refuses.
    public func webSocket(_ target: String, headers: [String: String] = [:]) async throws -> TestWebSocket {
        var reader = try await newConnection()
        var headers = headers
        headers["Upgrade"] = "websocket"
        headers["Connection"] = "Upgrade"
        headers["Sec-WebSocket-Version"] = "13"
        headers["Sec-WebSocket-Key"] = headers["Sec-WebSocket-Key"] ?? "dGhlIHNhbXBsZSBub25jZQ=="
        reader.reader.stream.send(head("GET", target, headers, length: 0))
        guard let head = try await reader.head() else { throw TestError("the server closed without an answer") }
        guard head.status == 101 else { throw TestError("the server answered \(head.status) to the handshake") }
        keepCookies(head.headers)
        return TestWebSocket(reader.reader, headers: head.headers)
    }

    // MARK: Connections

    private func connection() async throws -> ResponseReader {
        if let idle = state.withLock({ $0.idle.popLast() }) { return idle }
        return try await newConnection()
    }

    private func newConnection() async throws -> ResponseReader {
        let stream = try await open()
        state.withLock { $0.streams.append(stream) }
        return ResponseReader(stream, limit: TestClient.limit)
    }

    func close() {
        let streams = state.withLock { state in
            let streams = state.streams
            state.streams = []
            state.idle = []
            return streams
        }
        for stream in streams { stream.close() }
    }

    private func head(_ method: String, _ target: String, _ headers: [String: String], length: Int) -> [UInt8] {
        var text = "\(method) \(target) HTTP/1.1\r\n"
        if headers["Host"] == nil { text += "Host: localhost\r\n" }
        if let cookie = cookieField, headers["Cookie"] == nil { text += "Cookie: \(cookie)\r\n" }
        if length > 0 || ["POST", "PUT", "PATCH"].contains(method) { text += "Content-Length: \(length)\r\n" }
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) { text += "\(name): \(value)\r\n" }
        return Array((text + "\r\n").utf8)
    }

    private var cookieField: String? {
        let pairs = cookies.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }
        return pairs.isEmpty ? nil : pairs.joined(separator: "; ")
    }

    private func keepCookies(_ headers: TestHeaders) {
        for line in headers.all("Set-Cookie") {
            let pair = line.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { continue }
            state.withLock { state in
                state.cookies[String(pair[0])] = pair[1].isEmpty || pair[1] == "\"\"" ? nil : String(pair[1])
            }
        }
    }

    private static func encode(_ text: String) -> String {
        text.utf8.map { byte in
            let scalar = Unicode.Scalar(byte)
            let isPlain = (byte < 128 && scalar.properties.isAlphabetic) || (48...57).contains(byte) || byte == 0x2d
            return isPlain ? String(scalar) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}
