internal import CGale

/// Names a WebSocket for ever and on every thread; when the socket is gone, sending to it answers false.
public struct SocketReference: Sendable, Hashable {
    // Weak: a group that an application's routes hold would keep the server, and the server the application.
    private weak let server: Server?
    private let identity: ObjectIdentifier
    private let bits: UInt64

    init(server: Server, ref: gale_ref_t) {
        self.server = server
        identity = ObjectIdentifier(server)
        bits = ref.bits
    }

    public static func == (left: SocketReference, right: SocketReference) -> Bool {
        left.bits == right.bits && left.identity == right.identity
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(bits) }

    /// Sends a message; false when the socket is gone. The bytes are shared by all sockets they are sent to.
    @discardableResult
    public func send(_ kind: MessageKind, _ bytes: SharedBytes) -> Bool {
        guard let server else { return false }
        return gale_ref_send(server.pointer, gale_ref_t(bits: bits), kind.code, bytes.owned()) >= 0
    }

    /// Begins the closing handshake; false when the socket is gone already.
    @discardableResult
    public func close(code: Int, reason: String) -> Bool {
        guard let server else { return false }
        let request = Unmanaged.passRetained(CloseRequest(code: code, reason: reason))
        let result = gale_ref_post(
            server.pointer, gale_ref_t(bits: bits),
            { server, ref, argument in
                guard let argument else { return }
                let request = Unmanaged<CloseRequest>.fromOpaque(argument).takeRetainedValue()
                guard let socket = gale_ref_ws(server, ref) else { return }
                var reason = request.reason
                _ = reason.withUTF8 { gale_ws_close(socket, Int32(clamping: request.code), gale_str_t($0)) }
            }, request.toOpaque())
        if result < 0 { request.release() }
        return result >= 0
    }

    private final class CloseRequest {
        let code: Int
        let reason: String
        init(code: Int, reason: String) {
            self.code = code
            self.reason = reason
        }
    }
}

/// Immutable bytes that many sockets send without a copy for each. Any thread.
public final class SharedBytes: @unchecked Sendable {
    // @unchecked: written in init alone.
    private let storage: UnsafeMutableRawBufferPointer

    /// A copy of the text.
    public init(_ text: String) {
        var text = text
        storage = text.withUTF8 { bytes in
            let storage = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
            storage.copyMemory(from: UnsafeRawBufferPointer(bytes))
            return storage
        }
    }

    /// A copy of the bytes.
    public init(_ bytes: [UInt8]) {
        storage = .allocate(byteCount: bytes.count, alignment: 1)
        bytes.withUnsafeBytes { storage.copyMemory(from: $0) }
    }

    deinit { storage.deallocate() }

    /// An owned buffer for C, which holds on to the object until the bytes are sent.
    func owned() -> gale_buf_t {
        gale_buf_t(
            ptr: UnsafeRawPointer(storage.baseAddress), len: storage.count,
            free_fn: { argument in
                if let argument { Unmanaged<SharedBytes>.fromOpaque(argument).release() }
            }, free_arg: Unmanaged.passRetained(self).toOpaque())
    }
}
