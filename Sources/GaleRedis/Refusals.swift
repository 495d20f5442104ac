/// Subscriptions that Redis has refused, and when each is asked for again: in pauses that grow.
///
/// What passes by itself is asked for as a connection would be. What doesn't (a channel that this user may not read) is
/// asked for rarely: somebody may change that.
struct Refusals {
    typealias Topic = SubscriptionResident.Topic

    private struct Refusal {
        var count = 0
        /// Nil while it is being asked for.
        var due: ContinuousClock.Instant?
    }

    private let longest: Duration
    private var refusals: [Topic: Refusal] = [:]

    /// How many of the longest pauses there are between two attempts at what doesn't pass.
    static let rarely = 10

    init(longestPause: Duration) { longest = max(min(longestPause, .seconds(86400)), .milliseconds(1)) }

    /// When the first is due; earlier, where that has been removed.
    private(set) var next: ContinuousClock.Instant?

    /// It was refused; true for the first time.
    mutating func add(_ topic: Topic, _ error: RedisError, at now: ContinuousClock.Instant = .now) -> Bool {
        var refusal = refusals[topic] ?? Refusal()
        let growing = min(longest / 20 * (1 << min(refusal.count, 10)), longest)
        refusal.count += 1
        let due = now + (error.isPassing || error.isOutOfMemory ? growing : longest * Refusals.rarely)
        refusal.due = due
        refusals[topic] = refusal
        next = min(next ?? due, due)
        return refusal.count == 1
    }

    /// Those that are due; each is once.
    mutating func takeDue(at now: ContinuousClock.Instant = .now) -> [Topic] {
        let due = refusals.filter { _, refusal in refusal.due.map { $0 <= now } ?? false }.map(\.key)
        for topic in due { refusals[topic]?.due = nil }
        next = refusals.values.compactMap(\.due).min()
        return due
    }

    mutating func remove(_ topic: Topic) { refusals[topic] = nil }
    mutating func removeAll() { (refusals, next) = ([:], nil) }
}
