/// Resumes one waiting task once, from whatever side comes first.
public final class Wakeup: Sendable {
    private enum State {
        case idle
        case waiting(UnsafeContinuation<Bool, Never>)
        case woken(Bool)
    }
    private let state = Guarded(State.idle)

    /// One that nobody waits for yet.
    public init() {}

    /// Waits until `wake`, and gives its value. One waiter, once. A cancelled task is woken with false.
    public func wait() async -> Bool {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let early: Bool? = state.withLock { state in
                    if case .woken(let value) = state { return value }
                    state = .waiting(continuation)
                    return nil
                }
                if let early { continuation.resume(returning: early) }
            }
        } onCancel: {
            wake(false)
        }
    }

    /// Wakes the waiter, now or when it comes. Later calls do nothing and give false. Any thread.
    @discardableResult
    public func wake(_ value: Bool) -> Bool {
        let (isFirst, continuation) = state.withLock { state -> (Bool, UnsafeContinuation<Bool, Never>?) in
            switch state {
            case .idle:
                state = .woken(value)
                return (true, nil)
            case .waiting(let continuation):
                state = .woken(value)
                return (true, continuation)
            case .woken:
                return (false, nil)
            }
        }
        continuation?.resume(returning: value)
        return isFirst
    }
}

extension Worker {
    /// Waits for `wakeup` at most so long: its value, or false after that time. On the current loop's timers, or on
    /// the system's when the caller is not on a loop. Throws `CancellationError`.
    public static func wait(for wakeup: Wakeup, atMost limit: Duration?) async throws -> Bool {
        let value = try await outcome(of: wakeup, atMost: limit)
        try Task.checkCancellation()
        return value
    }

    /// The same for what is handed over by waking: once that has happened, it is true even if the task was cancelled
    /// meanwhile. A cancelled task that was handed nothing gets false. Throws when there is no memory for a timer.
    public static func outcome(of wakeup: Wakeup, atMost limit: Duration?) async throws -> Bool {
        guard let limit else { return await wakeup.wait() }
        if let worker = current {
            let timer: LoopTimer
            do {
                timer = try LoopTimer.start(on: worker, after: limit.wholeMilliseconds) { wakeup.wake(false) }
            } catch {
                // What was handed over meanwhile must not be lost.
                if wakeup.wake(false) { throw error }
                return true
            }
            let value = await wakeup.wait()
            timer.stop()
            return value
        }
        let clock = Task {
            // A time that the clock cannot count to would end the process.
            try? await Task.sleep(for: min(limit, .seconds(1 << 32)))
            wakeup.wake(false)
        }
        let value = await wakeup.wait()
        clock.cancel()
        return value
    }
}
