internal import GaleCore

/// A flag to wait for. Any thread; waiters resume on their own loop (LCK-01).
public final class Event: Sendable {
    private struct State {
        var isSet = false
        var line = WaitLine<Wakeup>()
    }
    private let state = Guarded(State())

    /// One that is not set.
    public init() {}

    /// Whether it is set.
    public var isSet: Bool { state.withLock { $0.isSet } }

    /// Sets it and wakes all who wait.
    public func set() {
        state.withLock { state in
            state.isSet = true
            while let waiter = state.line.popFirst() { waiter.wake(true) }
        }
    }

    /// Clears it: who comes now waits for the next `set`.
    public func clear() { state.withLock { $0.isSet = false } }

    /// Waits until it is set, at most `limit`: true when it was, false after that time. Throws `CancellationError`.
    @discardableResult
    public func wait(for limit: Duration? = nil) async throws -> Bool {
        let wakeup = Wakeup()
        let ticket: UInt64? = state.withLock { $0.isSet ? nil : $0.line.join(wakeup) }
        guard let ticket else { return true }
        defer { state.withLock { $0.line.leave(ticket) } }
        return try await Worker.wait(for: wakeup, atMost: limit)
    }
}
