internal import GaleCore

/// WebSockets that get the same messages, on whatever workers they are. Any thread.
public final class SocketGroup: Sendable {
    private let members = Guarded<Set<WebSocketPeer>>([])

    /// An empty group.
    public init() {}

    /// How many there are.
    public var count: Int { members.withLock { $0.count } }

    /// Takes a socket in; nothing when it isn't open.
    public func join(_ peer: WebSocketPeer?) {
        if let peer { members.withLock { _ = $0.insert(peer) } }
    }

    /// Lets a socket go.
    public func leave(_ peer: WebSocketPeer?) {
        if let peer { members.withLock { _ = $0.remove(peer) } }
    }

    /// Sends text to all, from one buffer. Those that have gone are let go.
    public func broadcast(_ text: String) { broadcast(.text, SharedBytes(text)) }

    /// Sends bytes to all, from one buffer.
    public func broadcast(_ bytes: [UInt8]) { broadcast(.binary, SharedBytes(bytes)) }

    private func broadcast(_ kind: MessageKind, _ bytes: SharedBytes) {
        // Under the lock, so that all members get all messages in one order.
        members.withLock { members in
            let gone = members.filter { !$0.send(kind, bytes) }
            if !gone.isEmpty { members.subtract(gone) }
        }
    }
}
