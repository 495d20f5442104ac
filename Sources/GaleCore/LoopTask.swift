internal import CGale

/// A task that waits for work on its loop, does it, and waits again (toolchain.md 2, variant e11).
///
/// One exists for each piece of work that is in progress, not for each connection.
public final class LoopTask: @unchecked Sendable {
    // @unchecked: all of it is touched on the thread of its loop alone.
    @exclusivity(unchecked) fileprivate var job: UnownedJob?
    @exclusivity(unchecked) fileprivate var next: LoopTask?
    @exclusivity(unchecked) @usableFromInline var work: AnyObject?
    @usableFromInline var handle: Task<Void, Never>?
    fileprivate var isCancelled = false

    @usableFromInline
    init() {}

    /// Cancels the work in progress. The task is not used for other work afterwards. Loop thread.
    public func cancel() {
        isCancelled = true
        handle?.cancel()
    }

    /// The work it was woken for, which it lets go; nil: there is none, and the task shall end.
    @inlinable
    func takeWork() -> AnyObject? {
        let taken = work
        work = nil
        return taken
    }
}

/// The waiting tasks of one loop that do the same kind of work. Loop thread.
@usableFromInline
final class LoopTaskLot: @unchecked Sendable {
    // @unchecked: all of it is touched on the thread of its loop alone; after `close` nothing changes any more.
    @usableFromInline let executor: LoopExecutor
    @usableFromInline let park = Park()
    @exclusivity(unchecked) fileprivate var parking: LoopTask?
    @exclusivity(unchecked) private var free: LoopTask?
    @exclusivity(unchecked) fileprivate var idle = 0
    private var isClosed = false

    /// Tasks kept for later, at about 1.4 KB each.
    private static let keep = 4096

    init(executor: LoopExecutor) {
        self.executor = executor
        park.executor.lot = self
    }

    /// Runs a waiting task that does `work`, up to its first suspension if none is running; nil when none waits.
    @usableFromInline
    func wake(for work: AnyObject) -> LoopTask? {
        guard let task = pop(), let job = task.job else { return nil }
        task.job = nil
        task.work = work
        executor.run(job)
        return task
    }

    /// Before a task parks: false when it shall end.
    @usableFromInline
    func willPark(_ task: LoopTask) -> Bool {
        if task.isCancelled || isClosed || idle >= Self.keep { return false }
        parking = task
        return true
    }

    fileprivate func push(_ task: LoopTask) {
        swap(&task.next, &free)
        free = task
        idle += 1
    }

    private func pop() -> LoopTask? {
        guard let task = free else { return nil }
        free = nil
        swap(&free, &task.next)
        idle -= 1
        return task
    }

    /// Ends the waiting tasks. Those at work end when they have done it.
    func close() {
        isClosed = true
        while let task = pop() {
            if let job = task.job { executor.run(job) }
        }
        park.executor.lot = nil
    }
}

/// Takes the job of a task that parks, and keeps it until there is work.
private final class ParkExecutor: SerialExecutor, @unchecked Sendable {
    // @unchecked: touched on the thread of its loop alone.
    @exclusivity(unchecked) unowned(unsafe) var lot: LoopTaskLot?

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        guard let lot, let task = lot.parking else { return }
        lot.parking = nil
        task.job = job
        lot.push(task)
    }
}

/// Where tasks park: to call `wait` is to hand one's job to the executor.
@usableFromInline
actor Park {
    fileprivate nonisolated let executor = ParkExecutor()
    @usableFromInline nonisolated var unownedExecutor: UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: executor)
    }

    fileprivate init() {}

    /// Returns when the executor's owner runs the job. The call into C keeps the compiler from leaving the hop out.
    @usableFromInline @inline(never) func wait() { _ = gale_version() }
}
