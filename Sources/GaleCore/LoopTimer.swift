internal import CGale

/// A timer of one loop. Loop thread.
public final class LoopTimer {
    private let worker: Worker
    private var handle: OpaquePointer?
    private let repeats: Bool
    private var body: (() -> Void)?

    /// Calls `body` after `milliseconds`, and every so often if `repeats`. Throws when memory ran out.
    @discardableResult
    public static func start(
        on worker: Worker, after milliseconds: UInt64, repeats: Bool = false, _ body: @escaping () -> Void
    ) throws(CoreError) -> LoopTimer {
        let timer = LoopTimer(worker, repeats: repeats, body)
        let data = Unmanaged.passUnretained(timer).toOpaque()
        timer.handle = gale_timer_start(
            worker.pointer, milliseconds, repeats ? max(milliseconds, 1) : 0,
            { data in
                guard let data else { return }
                // Alive: the worker keeps it until it has fired or was stopped.
                Unmanaged<LoopTimer>.fromOpaque(data).takeUnretainedValue().fired()
            }, data)
        if timer.handle == nil { throw CoreError.limit }
        worker.keep(timer)
        return timer
    }

    private init(_ worker: Worker, repeats: Bool, _ body: @escaping () -> Void) {
        self.worker = worker
        self.repeats = repeats
        self.body = body
    }

    private func fired() {
        worker.executor.enter()
        let body = body
        if !repeats { forget() }
        body?()
        worker.executor.leave()
    }

    /// Stops it; also after it has fired, and from its own call.
    public func stop() {
        guard let handle else { return }
        gale_timer_stop(handle)
        forget()
    }

    private func forget() {
        handle = nil
        body = nil
        worker.drop(self)
    }

    /// The worker ends: pending timers of C die without a call, so whoever waits is called now.
    func fireForTheLastTime() {
        let body = body
        handle = nil
        self.body = nil
        body?()
    }
}

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

    /// Wakes the waiter, now or when it comes. Later calls do nothing. Any thread.
    public func wake(_ value: Bool) {
        let continuation: UnsafeContinuation<Bool, Never>? = state.withLock { state in
            switch state {
            case .idle:
                state = .woken(value)
                return nil
            case .waiting(let continuation):
                state = .woken(value)
                return continuation
            case .woken:
                return nil
            }
        }
        continuation?.resume(returning: value)
    }
}

extension Worker {
    /// Waits for `wakeup` at most so long: its value, or false after that time. On the current loop's timers, or on
    /// the system's when the caller is not on a loop. Throws `CancellationError`.
    public static func wait(for wakeup: Wakeup, atMost limit: Duration?) async throws -> Bool {
        guard let limit else {
            let value = await wakeup.wait()
            try Task.checkCancellation()
            return value
        }
        if let worker = current {
            let timer = try LoopTimer.start(on: worker, after: limit.wholeMilliseconds) { wakeup.wake(false) }
            let value = await wakeup.wait()
            timer.stop()
            try Task.checkCancellation()
            return value
        }
        let clock = Task {
            try? await Task.sleep(for: limit)
            wakeup.wake(false)
        }
        let value = await wakeup.wait()
        clock.cancel()
        try Task.checkCancellation()
        return value
    }
}

extension Duration {
    /// In milliseconds, rounded up, not below 0.
    var wholeMilliseconds: UInt64 {
        let (seconds, attoseconds) = components
        if seconds < 0 || attoseconds < 0 { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1000)
        if overflow { return UInt64.max / 2 }
        return product + UInt64((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
