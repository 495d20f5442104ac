internal import GaleCore

/// A WebSocket to a server, opened by this program (WS-19). Any thread; several tasks may send.
///
/// ```swift
/// let socket = try await WebSocketClient.connect("ws://127.0.0.1:8888/news")
/// try await socket.send("hello")
/// for try await message in socket.messages { print(message) }
/// ```
///
/// Opened in a handler it lives on that handler's loop. Elsewhere it lives on a loop of its own, which all such clients
/// share and which runs as long as there is one. It is closed when nobody holds it any more.
public final class WebSocketClient: Sendable {
    /// How it is opened.
    public typealias Options = WebSocketClientOptions

    private let socket: ClientSocket
    private let worker: Worker
    private let lease: ClientLoop.Lease?

    /// Opens a socket to "ws://HOST:PORT/PATH", or "ws+unix:FILE:/PATH". Throws `WebSocketConnectError`, and
    /// `CancellationError` when the task is cancelled, which ends the attempt.
    public static func connect(_ url: String, _ options: Options = Options()) async throws -> WebSocketClient {
        let client: WebSocketClient
        do {
            client = try await WebSocketClient()
        } catch {
            throw WebSocketConnectError(description: String(describing: error), status: nil, headers: [])
        }
        try await client.open(url, options)
        return client
    }

    private init() async throws {
        if let current = Worker.current {
            lease = nil
            worker = current
        } else {
            let lease = try await ClientLoop.shared.lease()
            self.lease = lease
            worker = lease.worker
        }
        socket = ClientSocket(on: worker, lease)
    }

    deinit { socket.state.withLock { $0.reference }?.close(code: 1000, reason: "") }

    private func open(_ url: String, _ options: Options) async throws {
        try await onLoop { socket in
            do throws(CoreError) {
                try socket.connect(to: url, options)
            } catch {
                throw WebSocketConnectError(description: error.description, status: nil, headers: [])
            }
            try await socket.waitForOpen()
        }
    }

    /// Calls `body` on the socket's loop. Throws `WebSocketClosed` when that is no more.
    private func onLoop<R: Sendable>(_ body: @Sendable (ClientSocket) async throws -> R) async throws -> R {
        try await withTaskExecutorPreference(worker.executor) {
            guard worker.isCurrent else { throw WebSocketClosed("the WebSocket is closed") }
            return try await body(socket)
        }
    }

    // MARK: The handshake

    /// The subprotocol that the server chose.
    public var subprotocol: String? { socket.state.withLock { $0.answer?.subprotocol } }
    /// The fields of the server's answer, in their order.
    public var headers: [(name: String, value: String)] { socket.state.withLock { $0.answer?.headers ?? [] } }

    // MARK: Messages

    /// The messages as they come, until the socket is closed; the server is held back when too many wait. One reader
    /// at a time. When the reader's task is cancelled, the socket is closed with 1001.
    public var messages: WebSocketMessages { WebSocketMessages(self) }

    /// Sends text, and waits while the server is slow to take it. Throws `WebSocketClosed`.
    public func send(_ text: String) async throws { try await onLoop { try await $0.deliver(.text, text.utf8.span) } }

    /// Sends bytes, and waits while the server is slow to take them. Throws `WebSocketClosed`.
    public func send(_ bytes: [UInt8]) async throws { try await onLoop { try await $0.deliver(.binary, bytes.span) } }

    /// Sends a value as JSON text. Throws `WebSocketClosed`, and what the value's encoding throws.
    public func send<T: Encodable>(json value: T) async throws {
        let bytes = try JSONCoding.encode(value)
        try await onLoop { try await $0.deliver(.text, bytes.span) }
    }

    /// Sends a ping of at most 125 bytes. Throws `WebSocketClosed`.
    public func ping(_ payload: [UInt8] = []) async throws { try await onLoop { try $0.sendPing(payload.span) } }

    /// The next message; nil when the socket is closed.
    func nextMessage() async throws -> WebSocketMessage? {
        do {
            return try await onLoop { try await $0.nextMessage() }
        } catch is CancellationError {
            socket.state.withLock { $0.reference }?.close(code: 1001, reason: "")
            throw CancellationError()
        }
    }

    // MARK: The end

    /// Closes the socket, and waits until it is closed: the server has `closeTimeout` to answer. What it has sent and
    /// nobody has taken can still be read. Does nothing when it is closed already, or closing. Throws `WebSocketClosed`
    /// for a code or reason that cannot be sent, and `CancellationError` when the task is cancelled while it waits.
    public func close(code: Int = 1000, reason: String = "") async throws {
        if closeCode != nil { return }
        try await onLoop { try await $0.closeAndWait(code: code, reason: reason) }
    }

    /// The code that the server closed with; 1005 if it gave none, 1006 when the connection broke. Nil while it is
    /// open.
    public var closeCode: Int? { socket.state.withLock { $0.closing?.code } }
    /// The reason that the server gave. Nil while it is open.
    public var closeReason: String? { socket.state.withLock { $0.closing?.reason } }
}

/// Why a WebSocket could not be opened.
public struct WebSocketConnectError: Error, Sendable, CustomStringConvertible {
    /// One sentence: "the server answered 403".
    public let description: String
    /// The status of the server's answer, if there was one.
    public let status: Int?
    /// The fields of that answer.
    public let headers: [(name: String, value: String)]
}
