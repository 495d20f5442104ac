internal import GaleCore

/// Names an open WebSocket for every thread and for ever: what is sent to one that has gone is dropped.
///
/// Sending doesn't wait; a client that takes nothing is cut when its queue reaches the server's limit.
public struct WebSocketPeer: Sendable, Hashable {
    private let reference: SocketReference

    init(_ reference: SocketReference) { self.reference = reference }

    /// Sends text; false when the socket is gone.
    @discardableResult
    public func send(_ text: String) -> Bool { reference.send(.text, SharedBytes(text)) }

    /// Sends bytes; false when the socket is gone.
    @discardableResult
    public func send(_ bytes: [UInt8]) -> Bool { reference.send(.binary, SharedBytes(bytes)) }

    /// Begins the closing handshake; false when the socket is gone.
    @discardableResult
    public func close(code: Int = 1000, reason: String = "") -> Bool { reference.close(code: code, reason: reason) }

    func send(_ kind: MessageKind, _ bytes: SharedBytes) -> Bool { reference.send(kind, bytes) }
}
