internal import CGale

/// What a WebSocket message holds.
public enum MessageKind: Sendable {
    case text
    case binary

    var code: Int32 { self == .text ? Int32(GALE_WS_TEXT) : Int32(GALE_WS_BINARY) }
}

/// One WebSocket, on the loop of its connection. The layer above subclasses it and overrides the events.
///
/// After `closed` every call throws `CoreError.gone`. Loop thread only.
open class Socket {
    final var pointer: OpaquePointer?
    /// The worker whose loop this runs on.
    public final let worker: Worker

    /// One that `Exchange.upgrade` or `connect` connects.
    public init(on worker: Worker) { self.worker = worker }

    /// The handshake of `connect` is done: before any message.
    open func opened(_ answer: SocketAnswer) {}
    /// `connect` came to nothing: once, last of all, in place of `closed`.
    open func failed(_ error: CoreError, _ answer: SocketAnswer) {}
    /// A whole message; text is valid UTF-8.
    open func received(_ kind: MessageKind, _ bytes: Span<UInt8>) {}
    /// A ping, which is answered already.
    open func receivedPing(_ payload: Span<UInt8>) {}
    /// A pong.
    open func receivedPong(_ payload: Span<UInt8>) {}
    /// The send queue has become short after `send` had returned true.
    open func drained() {}
    /// Messages of a topic were dropped because the client is too slow: so many since the last time.
    open func lagged(topic: String, dropped: Int) {}
    /// The socket is closed: once, last of all.
    open func closed(code: Int, reason: String) {}

    /// Whether the socket is open, or at least not yet reported as closed.
    public final var isOpen: Bool { pointer != nil }

    final func live() throws(CoreError) -> OpaquePointer {
        guard let pointer else { throw CoreError.gone }
        return pointer
    }

    /// Sends a message. True: the queue is long, `drained` tells when it isn't.
    public final func send(_ kind: MessageKind, _ bytes: Span<UInt8>) throws(CoreError) -> Bool {
        let socket = try live()
        return try check(bytes.withUnsafeBufferPointer { gale_ws_send(socket, kind.code, gale_str_t($0)) }) == 1
    }

    /// Sends a ping of at most 125 bytes.
    public final func ping(_ payload: Span<UInt8>) throws(CoreError) {
        let socket = try live()
        try check(payload.withUnsafeBufferPointer { gale_ws_ping(socket, gale_str_t($0)) })
    }

    /// Begins the closing handshake.
    public final func close(code: Int, reason: String) throws(CoreError) {
        let socket = try live()
        var reason = reason
        try check(reason.withUTF8 { gale_ws_close(socket, Int32(clamping: code), gale_str_t($0)) })
    }

    /// Cuts the connection without a closing handshake.
    public final func abort() {
        if let pointer { gale_ws_abort(pointer) }
    }

    /// Stops messages until `resume`.
    public final func pause() {
        if let pointer { gale_ws_pause(pointer) }
    }

    /// Lets messages come again.
    public final func resume() {
        if let pointer { gale_ws_resume(pointer) }
    }

    /// A handle for other threads and later times.
    public final var reference: SocketReference? {
        guard let pointer else { return nil }
        return SocketReference(server: worker.server, ref: gale_ws_ref(pointer))
    }
}

extension Exchange {
    /// Completes the handshake and connects `socket`; the request ends before this returns, with `.upgraded`. Who may
    /// open it is the caller's to decide. Throws `CoreError.handshake` when it was no valid one and has been answered.
    public final func upgrade(to socket: Socket, fields: FieldBlock, compresses: Bool) throws(CoreError) {
        guard let request = pointer else { throw CoreError.gone }
        var handler = SocketCallbacks.table
        let data = Unmanaged.passRetained(socket)
        do throws(CoreError) {
            try fields.withHeaders(type: nil) { (headers, count) throws(CoreError) in
                var made: OpaquePointer?
                var anybody = text("*")
                let result = withUnsafePointer(to: &anybody) { anybody in
                    var options = gale_ws_options()
                    options.origins = anybody
                    options.origin_count = 1
                    options.no_deflate = compresses ? 0 : 1
                    options.headers = headers
                    options.header_count = count
                    return gale_ws_accept_with(request, &handler, data.toOpaque(), &options, &made)
                }
                try check(result)
                socket.pointer = made
            }
        } catch {
            data.release()
            throw error
        }
    }
}

/// The C callbacks of a WebSocket.
enum SocketCallbacks {
    static var table: gale_ws_handler_t {
        var handler = gale_ws_handler()
        handler.on_message = { _, kind, bytes, data in
            SocketCallbacks.enter(data) {
                $0.received(kind == Int32(GALE_WS_TEXT) ? .text : .binary, Span(_unsafeElements: bytes.buffer))
            }
        }
        handler.on_ping = { _, payload, data in
            SocketCallbacks.enter(data) { $0.receivedPing(Span(_unsafeElements: payload.buffer)) }
        }
        handler.on_pong = { _, payload, data in
            SocketCallbacks.enter(data) { $0.receivedPong(Span(_unsafeElements: payload.buffer)) }
        }
        handler.on_drain = { _, data in SocketCallbacks.enter(data) { $0.drained() } }
        handler.on_lag = { _, topic, dropped, data in
            SocketCallbacks.enter(data) {
                $0.lagged(topic: String(decoding: topic.buffer, as: UTF8.self), dropped: dropped)
            }
        }
        handler.on_close = { pointer, code, reason, data in
            SocketCallbacks.enter(data) { socket in
                let reason = String(decoding: reason.buffer, as: UTF8.self)
                if code < 0 {
                    socket.failed(CoreError(code, sentence: reason), SocketAnswer(pointer))
                } else {
                    socket.closed(code: Int(code), reason: reason)
                }
                socket.pointer = nil
            }
            if let data { Unmanaged<Socket>.fromOpaque(data).release() }
        }
        return handler
    }

    static func enter(_ data: UnsafeMutableRawPointer?, _ body: (Socket) -> Void) {
        guard let data else { return }
        let socket = Unmanaged<Socket>.fromOpaque(data).takeUnretainedValue()
        let executor = socket.worker.executor
        executor.enter()
        body(socket)
        executor.leave()
    }
}
