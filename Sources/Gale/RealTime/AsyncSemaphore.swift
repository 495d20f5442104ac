internal import GaleCore

/// Permits that are taken and given back; who finds none waits in line. Any thread; waiters resume on their own loop
/// (LCK-01).
///
/// A permit given back goes to the first in line, and to nobody who comes later. Who leaves the line, by time or
/// cancellation, takes none along.
public final class AsyncSemaphore: Sendable {
    private struct State {
        var permits: Int
        var line = WaitLine<Wakeup>()
    }
    private let limit: Int?
    private let state: Guarded<State>

    /// One with so many permits. With `isBounded`, there are never more: `release` without `acquire` does nothing.
    public init(_ permits: Int = 1, isBounded: Bool = true) {
        state = Guarded(State(permits: max(permits, 0)))
        limit = isBounded ? max(permits, 0) : nil
    }

    /// Permits that nobody holds.
    public var available: Int { state.withLock { $0.permits } }
    /// How many wait.
    public var waiting: Int { state.withLock { $0.line.count } }

    /// Takes a permit if there is one now.
    public func tryAcquire() -> Bool {
        state.withLock { state in
            if state.permits == 0 { return false }
            state.permits -= 1
            return true
        }
    }

    /// Takes a permit, waiting at most `limit` for one. Throws `TimedOut` after that time, and `CancellationError`.
    /// `release` must follow; `withPermit` sees to that.
    public func acquire(for limit: Duration? = nil) async throws {
        let wakeup = Wakeup()
        let ticket: UInt64? = state.withLock { state in
            if state.permits == 0 { return state.line.join(wakeup) }
            state.permits -= 1
            return nil
        }
        guard let ticket else { return }
        defer { state.withLock { $0.line.leave(ticket) } }
        if try await Worker.outcome(of: wakeup, atMost: limit) { return }
        try Task.checkCancellation()
        throw TimedOut()
    }

    /// Gives a permit back: to the first in line, if there is one.
    public func release() {
        state.withLock { state in
            while let waiter = state.line.popFirst() {
                if waiter.wake(true) { return }
            }
            if let limit, state.permits >= limit { return }
            state.permits += 1
        }
    }

    /// Calls `body` with a permit. Throws as `acquire` and what `body` throws.
    public func withPermit<Result>(for limit: Duration? = nil, _ body: () async throws -> Result) async throws -> Result
    {
        try await acquire(for: limit)
        defer { release() }
        return try await body()
    }
}

/// One at a time, also over `await`, in the order of arrival (LCK-01).
public final class AsyncLock: Sendable {
    private let semaphore = AsyncSemaphore(1)

    /// One that nobody holds.
    public init() {}

    /// Whether somebody holds it.
    public var isLocked: Bool { semaphore.available == 0 }
    /// How many wait.
    public var waiting: Int { semaphore.waiting }

    /// Calls `body` while nobody else holds the lock, which it must not ask for itself. Throws `TimedOut` after `limit`,
    /// `CancellationError`, and what `body` throws.
    public func withLock<Result>(for limit: Duration? = nil, _ body: () async throws -> Result) async throws -> Result {
        try await semaphore.withPermit(for: limit, body)
    }
}
