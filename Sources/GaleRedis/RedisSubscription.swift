internal import GaleCore

/// What came over a channel.
public struct RedisMessage: Sendable, Equatable {
    /// The channel it was published to.
    public let channel: String
    /// What was published.
    public let bytes: [UInt8]
    /// The same as text; what is no UTF-8 becomes U+FFFD.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Whether both are the same, byte for byte.
    public static func == (left: RedisMessage, right: RedisMessage) -> Bool {
        left.bytes == right.bytes && ByteString(left.channel) == ByteString(right.channel)
    }
}

/// A subscription to a channel, or to all that match a pattern. It ends with `cancel` or when nobody holds it. Any
/// thread.
public final class RedisSubscription: Sendable {
    /// What was subscribed to: a channel's name or a pattern.
    public let channel: String
    /// Whether that is a pattern.
    public let isPattern: Bool
    private let redis: Redis
    private let resident: SubscriptionResident

    init(
        to channel: String, isPattern: Bool, on redis: Redis, _ body: @escaping @Sendable (RedisMessage) -> Void
    ) {
        self.channel = channel
        self.isPattern = isPattern
        self.redis = redis
        resident = SubscriptionResident(
            topic: SubscriptionResident.Topic(name: Array(channel.utf8), isPattern: isPattern), body)
        redis.add(resident)
    }

    /// Whether Redis has confirmed it on the connection that stands.
    public var isActive: Bool { resident.isActive.withLock { $0 } }

    /// Ends it: nothing more is called afterwards, but for a call in progress on the loop.
    public func cancel() {
        resident.isCancelled.withLock { $0 = true }
        redis.remove(resident)
    }

    deinit { cancel() }
}
