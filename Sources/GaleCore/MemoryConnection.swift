internal import CGale

/// A client's end of a connection without a socket: its bytes go through the same parser, limits and write path
/// as those of a real one. For tests. Any thread.
public final class MemoryConnection: @unchecked Sendable {
    // @unchecked: `peer` is touched on the loop's thread alone; the rest is immutable or under the lock.
    private let server: Server
    private let workerIndex: Int
    private var peer: OpaquePointer?
    private let inbox = Guarded(Inbox())

    private struct Inbox {
        var bytes: [UInt8] = []
        var isClosed = false
        var waiter: UnsafeContinuation<[UInt8]?, Never>?

        mutating func take() -> [UInt8]? {
            if bytes.isEmpty { return nil }
            defer { bytes = [] }
            return bytes
        }
    }

    /// Connects to a running server. Throws `CoreError` when it doesn't run or refuses.
    public static func open(to server: Server, worker: Int = 0) async throws -> MemoryConnection {
        let connection = MemoryConnection(server, worker: worker)
        let result: Int32 = await withUnsafeContinuation { continuation in
            let posted = server.post(to: worker) { continuation.resume(returning: connection.connect()) }
            if !posted { continuation.resume(returning: CoreError.gone.code) }
        }
        try check(result)
        return connection
    }

    private init(_ server: Server, worker: Int) {
        self.server = server
        workerIndex = worker
    }

    private func connect() -> Int32 {
        guard let worker = gale_worker_current() else { return CoreError.gone.code }
        var handler = gale_peer_handler_t()
        handler.struct_size = MemoryLayout<gale_peer_handler_t>.size
        handler.on_data = { _, bytes, data in
            guard let data else { return }
            let connection = Unmanaged<MemoryConnection>.fromOpaque(data).takeUnretainedValue()
            connection.arrived(Array(bytes.buffer))
        }
        handler.on_close = { _, data in
            guard let data else { return }
            let connection = Unmanaged<MemoryConnection>.fromOpaque(data).takeRetainedValue()
            connection.peer = nil
            connection.arrived(nil)
        }
        let data = Unmanaged.passRetained(self)
        let result = gale_peer_open(worker, &handler, data.toOpaque(), &peer)
        if result < 0 { data.release() }
        return result
    }

    /// Takes what the server sent; nil: it closed.
    private func arrived(_ bytes: [UInt8]?) {
        let resumption = inbox.withLock { inbox -> (UnsafeContinuation<[UInt8]?, Never>, [UInt8]?)? in
            if let bytes { inbox.bytes += bytes } else { inbox.isClosed = true }
            guard let waiter = inbox.waiter else { return nil }
            inbox.waiter = nil
            return (waiter, inbox.take())
        }
        if let (waiter, bytes) = resumption { waiter.resume(returning: bytes) }
    }

    /// The next bytes of the server; nil when it has closed. One caller at a time.
    public func receive() async -> [UInt8]? {
        await withUnsafeContinuation { continuation in
            let now: [UInt8]?? = inbox.withLock { inbox in
                if inbox.bytes.isEmpty && !inbox.isClosed {
                    inbox.waiter = continuation
                    return .none
                }
                return .some(inbox.take())
            }
            if let now { continuation.resume(returning: now) }
        }
    }

    /// Sends bytes to the server.
    public func send(_ bytes: [UInt8]) {
        act { peer in bytes.withUnsafeBufferPointer { _ = gale_peer_send(peer, gale_str_t($0)) } }
    }

    /// Takes no more bytes until told to again: the server's writes queue up as on a full socket.
    public func stall(_ stalled: Bool) { act { gale_peer_stall($0, stalled) } }

    /// Shuts down the sending side.
    public func shutdown() { act { gale_peer_shutdown($0) } }

    /// Leaves.
    public func close() { act { gale_peer_close($0) } }

    private func act(_ body: @escaping @Sendable (OpaquePointer) -> Void) {
        server.post(to: workerIndex) {
            if let peer = self.peer { body(peer) }
        }
    }
}
