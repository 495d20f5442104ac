internal import GaleCore

/// What somebody waits for: a value or an error, once, from any thread.
final class Answer<Value: Sendable>: Sendable {
    private let wakeup = Wakeup()
    private let result = Guarded<Result<Value, any Error>?>(nil)

    /// Gives the result; only the first counts.
    func finish(_ value: Result<Value, any Error>) {
        result.withLock { result in
            if result == nil { result = value }
        }
        wakeup.wake(true)
    }

    /// Whether it has its result, or nobody waits any more.
    var isFinished: Bool { result.withLock { $0 } != nil }

    /// Waits for it, on the loop of the caller. A cancelled task gets `CancellationError` at once, and `onCancel` is
    /// called.
    func wait(onCancel: () -> Void) async throws -> Value {
        if await wakeup.wait(), let result = result.withLock({ $0 }) { return try result.get() }
        // Woken by its cancellation. From now on it is finished, so that whoever keeps it can let it go.
        finish(.failure(CancellationError()))
        onCancel()
        throw CancellationError()
    }
}
