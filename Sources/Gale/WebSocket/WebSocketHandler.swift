internal import GaleCore

/// The base of WebSocket handlers (WS-01): one object a socket.
///
/// `prepare` runs before the handshake, with cookies and user as in any handler; it may throw or answer instead.
/// Then `open`, `message` one at a time (awaiting in it holds the client back, WS-17), at the end `onClose`.
/// Or `open` reads them itself, from `messages`, and is a task as long as it does.
/// Everything runs on the connection's loop; an idle socket has no task else. When the connection breaks while a message
/// is being handled, that task is cancelled. When the server stops, sockets are closed with 1001 (WS-21).
open class WebSocketHandler: RequestHandler {
    private final var session: WebSocketSession?

    /// The code that the peer closed with; 1005 if it gave none, 1006 when the connection broke. In `onClose`.
    public final var closeCode: Int? { session?.closing?.code }
    /// The reason that the peer gave. In `onClose`.
    public final var closeReason: String? { session?.closing?.reason }
    /// The subprotocol that was agreed on.
    public final var selectedSubprotocol: String? { session?.subprotocol }

    // MARK: For subclasses

    /// The socket is open.
    open func open() async throws {}
    /// A text message.
    open func message(_ text: String) async throws {}
    /// A binary message.
    open func message(_ bytes: [UInt8]) async throws {}
    /// A ping came, which is answered already.
    open func onPing(_ payload: [UInt8]) {}
    /// A pong came.
    open func onPong(_ payload: [UInt8]) {}
    /// Messages of a topic were dropped because the client is too slow: so many since the last time.
    open func onLag(_ topic: String, dropped: Int) {}
    /// The socket is closed: once, last of all, if it has been open.
    open func onClose() async {}

    /// Whether a page of this origin may open the socket (WS-05). Called when the request names one that isn't the
    /// server's own; by default `Settings.allowedOrigins` may.
    open func checkOrigin(_ origin: String) -> Bool { settings.allowedOrigins.contains(origin) }

    /// The subprotocol to use, of those that the client offers; nil: none (WS-06).
    open func selectSubprotocol(_ offered: [String]) -> String? { nil }

    /// Whether messages may be compressed, where `Settings.server.webSockets` says so and the client offers it (WS-14).
    /// False for sockets that send secrets beside what others may have put in: lengths would tell (BREACH).
    open var allowsCompression: Bool { true }

    // MARK: The socket

    /// The messages as they come, to be read in `open` rather than handled by `message`.
    public final var messages: WebSocketMessages { WebSocketMessages(session) }

    /// Names the socket for other tasks and threads, from `open` on; still the same in `onClose`, if it has been asked
    /// for before.
    public final var peer: WebSocketPeer? { session?.name }

    /// Sends text, and waits while the client is slow to take it (WS-17). Throws `WebSocketClosed`.
    public final func send(_ text: String) async throws {
        try await live.deliver(.text, text.utf8.span)
    }

    /// Sends bytes, and waits while the client is slow to take them. Throws `WebSocketClosed`.
    public final func send(_ bytes: [UInt8]) async throws {
        try await live.deliver(.binary, bytes.span)
    }

    /// Sends a value as JSON text. Throws `WebSocketClosed`, and what the value's encoding throws.
    public final func send<T: Encodable>(json value: T) async throws {
        let bytes = try JSONCoding.encode(value)
        try await live.deliver(.text, bytes.span)
    }

    /// Sends a ping of at most 125 bytes. Throws `WebSocketClosed`.
    public final func ping(_ payload: [UInt8] = []) throws {
        try live.sendPing(payload.span)
    }

    /// Begins the closing handshake (WS-12). Throws `WebSocketClosed` when it has begun already or code or reason
    /// may not be sent.
    public final func close(code: Int = 1000, reason: String = "") throws {
        try live.beginClose(code: code, reason: reason)
    }

    final var live: WebSocketSession {
        get throws {
            guard let session, session.isOpen else { throw WebSocketClosed("the WebSocket is closed") }
            return session
        }
    }

    // MARK: The handshake

    override var isSocket: Bool { true }

    override func recalled() -> Call? {
        let made = session?.recall()
        call = made
        return made
    }

    override var keptApplication: Application? { session?.application }

    override func runMethod(_ method: Method) async throws {
        guard method == .get, let call else { throw HTTPError(405, headers: [("Allow", "GET")]) }
        let origin = request.header("Origin") ?? request.header("Sec-WebSocket-Origin")
        if let origin, !call.isSameOrigin, !checkOrigin(origin) {
            throw HTTPError(403, "Cross origin websockets not allowed")
        }
        let offered = request.header("Sec-WebSocket-Protocol")?.split(separator: ",") ?? []
        let subprotocol = offered.isEmpty ? nil : selectSubprotocol(offered.map { String($0).trimmingBlanks })
        if let subprotocol { try setHeader("Sec-WebSocket-Protocol", subprotocol) }
        let session = WebSocketSession(self, call.keep(), on: call.worker, subprotocol)
        self.session = session
        do throws(CoreError) {
            try call.upgrade(to: session, compresses: allowsCompression)
        } catch {
            self.session = nil
            // Answered by the core: there is nothing left to do.
            if error == .handshake {
                call.isFinished = true
                return
            }
            throw error
        }
        session.begin()
    }

    override class var implementedMethods: MethodSet {
        var set = MethodSet()
        set.insert(.get)
        return set
    }
}

/// A message could not be sent: the socket is closed or closing.
public struct WebSocketClosed: Error, Sendable, CustomStringConvertible {
    /// One sentence.
    public let description: String

    init(_ description: String) { self.description = description }
}

extension Call {
    /// Completes the handshake with the fields and cookies that are set.
    func upgrade(to session: WebSocketSession, compresses: Bool) throws(CoreError) {
        addCookies()
        try upgrade(to: session, fields: fields, compresses: compresses)
        isFinished = true
        isSent = true
    }
}
