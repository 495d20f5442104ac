internal import GaleCore

/// Something to wait for until somebody tells: for long polling. Any thread; waiters resume on their own loop (LCK-01).
///
/// Read `generation`, look whether there is something new, and wait `since` that generation: so no notification
/// between the look and the wait is missed.
///
/// ```swift
/// let seen = room.changed.generation
/// if messages.isEmpty { _ = try await room.changed.wait(for: .seconds(30), since: seen) }
/// ```
public final class Condition: Sendable {
    private struct State {
        var generation: UInt64 = 0
        var line = WaitLine<Wakeup>()
    }
    private let state = Guarded(State())

    /// One that nobody waits for.
    public init() {}

    /// Grows with each notification.
    public var generation: UInt64 { state.withLock { $0.generation } }

    /// How many wait now.
    public var waiting: Int { state.withLock { $0.line.count } }

    /// Wakes the first `count` of those who wait, in the order in which they came.
    public func notify(_ count: Int = 1) {
        state.withLock { state in
            state.generation &+= 1
            var left = count
            while left > 0, let waiter = state.line.popFirst() {
                if waiter.wake(true) { left -= 1 }
            }
        }
    }

    /// Wakes all who wait.
    public func notifyAll() { notify(.max) }

    /// Waits for the next notification, at most `limit`: true when it came, false after that time. At once true when
    /// there was one after the generation `since`. Throws `CancellationError` when the client leaves; who has been woken
    /// before that gets true, as nobody else was woken for it.
    public func wait(for limit: Duration? = nil, since: UInt64? = nil) async throws -> Bool {
        let wakeup = Wakeup()
        let ticket: UInt64? = state.withLock { state in
            if let since, since != state.generation { return nil }
            return state.line.join(wakeup)
        }
        guard let ticket else { return true }
        defer { state.withLock { $0.line.leave(ticket) } }
        if try await Worker.outcome(of: wakeup, atMost: limit) { return true }
        try Task.checkCancellation()
        return false
    }
}
