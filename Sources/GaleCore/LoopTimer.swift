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
