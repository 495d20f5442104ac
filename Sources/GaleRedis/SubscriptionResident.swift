internal import GaleCore

/// One subscription, as the loop knows it.
final class SubscriptionResident: RedisResident {
    /// A channel or a pattern.
    struct Topic: Hashable, Sendable {
        let name: [UInt8]
        let isPattern: Bool
    }

    let topic: Topic
    let isActive = Guarded(false)
    let isCancelled = Guarded(false)
    private let changed: @Sendable (Bool) -> Void
    private let body: @Sendable (RedisMessage) -> Void

    /// `changed` is called on the loop when Redis has confirmed it, and when the connection that had is gone.
    init(
        topic: Topic, changed: @escaping @Sendable (Bool) -> Void = { _ in },
        _ body: @escaping @Sendable (RedisMessage) -> Void
    ) {
        self.topic = topic
        self.changed = changed
        self.body = body
    }

    func join(_ core: RedisCore) { core.channels.add(self) }
    func leave(_ core: RedisCore) { core.channels.remove(self) }

    func came(_ message: RedisMessage) {
        if !isCancelled.withLock({ $0 }) { body(message) }
    }

    func becomes(active: Bool) {
        let isChange = isActive.withLock { isActive in
            defer { isActive = active }
            return isActive != active
        }
        if isChange { changed(active) }
    }
}
