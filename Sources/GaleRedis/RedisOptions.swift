public import Logging

/// How a `Redis` behaves. Everything has a default.
public struct RedisOptions: Sendable {
    /// How long making a connection may take, with its name looked up and its password checked.
    public var connectTimeout = Duration.seconds(5)
    /// A connection that owes an answer for so long is given up and made anew.
    public var answerTimeout = Duration.seconds(10)
    /// How often a quiet connection is asked whether it is still there.
    public var pingInterval = Duration.seconds(5)
    /// The longest pause between two attempts to connect; the first is a twentieth of it, then they double.
    public var longestPause = Duration.seconds(1)
    /// How long a command may wait for a connection; 0: it fails at once when there is none.
    public var patience = Duration.zero
    /// Commands that may wait, for a connection or for their answers, and the bytes of them.
    public var maxWaiting = 10_000
    /// The bytes of those commands.
    public var maxWaitingBytes = 64 << 20
    /// The largest answer that is taken; a connection that sends a larger one is closed.
    public var maxAnswerBytes = 16 << 20
    /// Subscriptions at once, to channels and patterns.
    public var maxSubscriptions = 10_000
    /// How long Redis knows the key of an entry of a `RedisLog`: for so long the same key gives the same entry.
    public var keyLifetime = Duration.seconds(600)
    /// After Redis was restarted, or is new, logs take no entries for so long: meanwhile each process comes back and
    /// puts back what Redis has lost. Longer than `longestPause`; the same in all processes.
    public var settling = Duration.seconds(2)
    /// Entries of one log that may wait until Redis is there.
    public var maxEntriesWaiting = 10_000
    /// The bytes of those entries.
    public var maxEntryBytesWaiting = 16 << 20
    /// How long a process that says nothing more is still among those of a `RedisPresence`.
    public var presenceLifetime = Duration.seconds(10)
    /// Told when connections come and go.
    public var logger = Logger(label: "gale.redis")

    /// All defaults.
    public init() {}
}
