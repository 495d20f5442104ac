public import Gale
internal import GaleCore

/// A topic that reaches the sockets of all processes: what is published goes through Redis, and each process hands it
/// to the subscribers of its own `topic`, once, in the order in which Redis took it.
///
/// ```swift
/// let news = RedisTopic("news", on: redis)
///
/// final class Reader: WebSocketHandler {
///     override func open() async throws { try subscribe(to: news.topic) }
/// }
/// try await news.publish("first")
/// ```
///
/// Redis has channels of the whole server, so a topic is one in all its databases. What is published while a process has no connection doesn't reach it: `RedisLog` keeps it. Any thread.
public final class RedisTopic: Sendable {
    /// Its name, which is that of the channel, too.
    public let name: String
    /// What sockets of this process subscribe to. Publishing to it reaches this process alone.
    public let topic: Topic
    private let redis: Redis
    private let feed: SubscriptionResident

    /// The topic of this name in all processes on this Redis; 1 to 240 bytes. It ends when nobody holds it; all of one
    /// name on one `Redis` share a subscription. Two `Redis` of one server have two, so that sockets get all twice.
    public init(_ name: String, on redis: Redis) {
        self.name = name
        self.redis = redis
        topic = Topic(name)
        feed = redis.feeds.withLock { $0.hold(name) }
        // Nothing happens where that was done.
        redis.add(feed)
    }

    deinit {
        guard let last = redis.feeds.withLock({ $0.letGo(of: name) }) else { return }
        last.isCancelled.withLock { $0 = true }
        redis.remove(last)
    }

    /// Whether what is published reaches this process.
    public var isActive: Bool { feed.isActive.withLock { $0 } }

    /// Sends text to all who subscribe, in all processes. Throws as `Redis.command`: then it isn't known to have
    /// reached anybody.
    public func publish(_ text: String) async throws {
        _ = try await redis.publish([UInt8(ascii: "t")] + Array(text.utf8), to: name)
    }

    /// Sends bytes to all who subscribe, in all processes.
    public func publish(_ bytes: [UInt8]) async throws {
        _ = try await redis.publish([UInt8(ascii: "b")] + bytes, to: name)
    }
}
