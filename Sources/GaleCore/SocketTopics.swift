internal import CGale

/// What becomes of a WebSocket that takes the messages of a topic too slowly.
public enum SlowPolicy: Sendable {
    /// It is closed with 1013: it can come back and ask for what it has missed.
    case close
    /// The oldest that wait for it are dropped: for what is soon out of date.
    case dropOldest
    /// The new ones are dropped: what it gets has no gap up to there.
    case dropNewest

    var code: UInt32 {
        switch self {
        case .close: UInt32(GALE_SLOW_CLOSE)
        case .dropOldest: UInt32(GALE_SLOW_DROP_OLDEST)
        case .dropNewest: UInt32(GALE_SLOW_DROP_NEWEST)
        }
    }
}

extension Socket {
    /// Gets what is published under the name from now on; nil: the server's policy and limit. False: it did already.
    @discardableResult
    public final func subscribe(to topic: String, whenSlow: SlowPolicy?, limit: Int?) throws(CoreError) -> Bool {
        let socket = try live()
        let bytes = limit.map { UInt64(clamping: max($0, 1)) } ?? 0
        var topic = topic
        let result = topic.withUTF8 { gale_ws_subscribe_with(socket, gale_str_t($0), whenSlow?.code ?? 0, bytes) }
        return try check(result) == 0
    }

    /// Ends a subscription. False: there was none.
    @discardableResult
    public final func unsubscribe(from topic: String) throws(CoreError) -> Bool {
        let socket = try live()
        var topic = topic
        return try check(topic.withUTF8 { gale_ws_unsubscribe(socket, gale_str_t($0)) }) == 0
    }

    /// Sends a message to all who subscribe but this socket.
    public final func publish(_ kind: MessageKind, _ bytes: Span<UInt8>, to topic: String) throws(CoreError) {
        let socket = try live()
        var topic = topic
        let result = topic.withUTF8 { topic in
            bytes.withUnsafeBufferPointer { gale_ws_publish(socket, gale_str_t(topic), kind.code, gale_str_t($0)) }
        }
        try check(result)
    }
}

extension Server {
    /// Sends a message to all who subscribe, on whatever workers they are. Nothing when the server doesn't run. Any
    /// thread.
    public func publish(_ kind: MessageKind, _ bytes: Span<UInt8>, to topic: String) throws(CoreError) {
        var topic = topic
        let result = topic.withUTF8 { topic in
            bytes.withUnsafeBufferPointer { gale_publish(pointer, gale_str_t(topic), kind.code, gale_str_t($0)) }
        }
        try check(result)
    }
}
