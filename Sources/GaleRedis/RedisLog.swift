internal import Gale
internal import GaleCore
internal import Logging

/// One entry of a `RedisLog`.
public struct RedisLogEntry: Sendable, Equatable {
    /// Where it stands: "MILLISECONDS-NUMBER". Of two entries the later has the greater `position`.
    public var id: String { position.text }
    /// What was appended.
    public let text: String
    /// The key it was appended under: the one given, else one made up.
    public let key: String
    /// The id, in order.
    public let position: RedisLogPosition

    /// Whether both are the same, byte for byte.
    public static func == (left: RedisLogEntry, right: RedisLogEntry) -> Bool {
        left.position == right.position && ByteString(left.key) == ByteString(right.key)
            && ByteString(left.text) == ByteString(right.text)
    }
}

/// A topic with history: a Redis stream that many processes append to, and from which each gets every entry.
///
/// ```swift
/// let messages = RedisLog("chat", on: redis) { entry in topic.publish(entry.text) }
/// messages.open()
/// try await messages.append("hello", unique: "message-17")
/// ```
///
/// While it is open, `deliver` gets every entry once, in the stream's order, on the loop: first the history, then what
/// comes, whatever happens to Redis in between. Entries that a process missed while it had no connection are read when
/// it is back. Entries that Redis has lost are put back by those who have them: each process keeps the last `keeping`.
/// For that to be in order all must come back within `options.settling`, during which nothing is appended; an entry
/// that is put back later is delivered late to who hasn't had it, which its id shows. What a process misses for longer
/// than `keeping` entries is gone for it, and the logger is told.
///
/// Entries are not removed one by one: what is deleted from the stream by hand is put back. Give a log the same
/// `keeping` in all processes. Any thread.
public final class RedisLog: Sendable {
    /// The name of the stream. What is kept beside it, and its channel, have names that begin with "gale-log:", which no
    /// log's own may.
    public let name: String
    private let redis: Redis
    private let log: LogResident

    /// A log of this name in the database of `redis`, which keeps 1 to 10,000 entries; nothing is read before `open`.
    /// With `expires`, Redis forgets all of it when nothing was appended for so long; who has it open then has it
    /// still, and puts it back when it reads again. `deliver` is called on the loop's thread; short.
    public init(
        _ name: String, on redis: Redis, keeping: Int = 200, expires: Duration? = nil,
        deliver: @escaping @Sendable (RedisLogEntry) -> Void
    ) {
        self.name = name
        self.redis = redis
        log = LogResident(
            LogNames(name: name, database: redis.address.database), keeping: min(max(keeping, 1), 10_000),
            expires: expires, options: redis.options, deliver)
    }

    /// Begins to read; also before the server starts. Once open it does nothing. After a `close` it goes on where it
    /// was. One whose name begins with "gale-log:" stays closed, and the logger is told.
    public func open() {
        guard log.names.isFree else {
            redis.options.logger.error(
                "no log can have the name \(name): \(LogNames.prefix) is for what is kept beside logs")
            return
        }
        if log.queue.withLock({ $0.open() }) { redis.add(log) }
    }

    /// Ends reading, and fails what waits to be appended with `RedisError.closed`.
    public func close() {
        let left = log.queue.withLock { $0.close() }
        for entry in left { entry.answer.finish(.failure(RedisError.closed)) }
        redis.remove(log)
    }

    deinit { close() }

    /// Waits until what the stream has is delivered, at most `limit`; false: it isn't yet. True at once where that was
    /// so and the connections have stood since. Throws `CancellationError`.
    public func caughtUp(for limit: Duration? = nil) async throws -> Bool { try await log.caughtUp.wait(for: limit) }

    /// Appends an entry, and gives it as it stands in the stream. The same `key` again, within `options.keyLifetime`,
    /// (byte for byte) gives the entry it was the first time (with the new text, if the entry has left the history by then): so what
    /// isn't known to have happened can be asked for again.
    ///
    /// While Redis is away it waits, with all that is appended after it, in their order; an append whose answer was
    /// lost is sent again and not doubled. Throws `.limit` when too much waits or the text is too large, `.closed`,
    /// `.server` when Redis refuses it (its memory is full), and `CancellationError`: then it may have been appended.
    @discardableResult
    public func append(_ text: String, unique key: String? = nil) async throws -> RedisLogEntry {
        try Task.checkCancellation()
        guard text.utf8.count <= log.maxText, (key ?? "k").utf8.count <= 512, key != "" else {
            throw RedisError.limit("an entry has at most \(log.maxText) bytes, and its key 1 to 512")
        }
        let entry = WaitingEntry(text, key: key ?? RandomName.make())
        if let refusal = log.queue.withLock({ $0.add(entry) }) { throw refusal }
        let log = log
        redis.post { core in log.flush(core) }
        return try await entry.answer.wait(onCancel: { log.queue.withLock { $0.removeFinished() } })
    }

    /// Entries that wait to be appended.
    public var waiting: Int { log.queue.withLock { $0.count } }

    /// The last `keeping` entries that were delivered, oldest first.
    public var recent: [RedisLogEntry] { log.recent.withLock { $0.entries } }
}
