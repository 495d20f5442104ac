internal import CGale

/// Something that runs asynchronously on a loop: a request, or a WebSocket with something to do.
public protocol LoopWork: AnyObject {
    /// The work. It runs on the loop's thread, in a task that is cancelled when the client leaves.
    func perform() async
}

/// A task that waits for work on its loop, does it, and waits again (toolchain.md 2, variant e11).
///
/// One exists for each piece of work that is in progress, not for each connection.
public final class LoopTask: @unchecked Sendable {
    // @unchecked: all of it is touched on the thread of its loop alone.
    @exclusivity(unchecked) fileprivate var job: UnownedJob?
    @exclusivity(unchecked) fileprivate var next: LoopTask?
    @exclusivity(unchecked) fileprivate var work: (any LoopWork)?
    fileprivate var handle: Task<Void, Never>?
    fileprivate var isCancelled = false

    /// Cancels the work in progress. The task is not used for other work afterwards. Loop thread.
    public func cancel() {
        isCancelled = true
        handle?.cancel()
    }
}

/// The tasks of one loop. Loop thread.
final class LoopTaskPool: @unchecked Sendable {
    // @unchecked: all of it is touched on the thread of its loop alone; after `close` nothing changes any more.
    private let executor: LoopExecutor
    private let park: Park
    @exclusivity(unchecked) fileprivate var parking: LoopTask?
    @exclusivity(unchecked) fileprivate var free: LoopTask?
    @exclusivity(unchecked) fileprivate var idle = 0
    private(set) var isClosed = false

    /// Tasks kept for later, at about 1.4 KB each.
    private static let keep = 4096

    init(executor: LoopExecutor) {
        self.executor = executor
        park = Park()
        park.executor.pool = self
    }

    /// Does `work`: up to its first suspension before this returns, if a task was waiting and none is running.
    func start(_ work: any LoopWork) -> LoopTask {
        guard let task = free, let job = task.job else { return spawn(work) }
        free = task.next
        task.next = nil
        task.job = nil
        task.work = work
        idle -= 1
        executor.run(job)
        return task
    }

    private func spawn(_ work: any LoopWork) -> LoopTask {
        let task = LoopTask()
        task.work = work
        task.handle = Task(executorPreference: executor) { await self.live(task) }
        return task
    }

    private func live(_ task: LoopTask) async {
        while true {
            // A scope of its own: a parked task must not hold the work that is done.
            do {
                guard let work = task.work else { break }
                await work.perform()
                task.work = nil
            }
            if task.isCancelled || isClosed || idle >= Self.keep { break }
            parking = task
            await park.wait()
        }
        task.handle = nil
    }

    /// Ends the waiting tasks. Those at work end when they have done it.
    func close() {
        isClosed = true
        while let task = free {
            free = task.next
            task.next = nil
            if let job = task.job { executor.run(job) }
        }
        park.executor.pool = nil
    }
}

/// Takes the job of a task that parks, and keeps it until there is work.
private final class ParkExecutor: SerialExecutor, @unchecked Sendable {
    // @unchecked: touched on the thread of its loop alone.
    @exclusivity(unchecked) unowned(unsafe) var pool: LoopTaskPool?

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        guard let pool, let task = pool.parking else { return }
        pool.parking = nil
        task.job = job
        task.next = pool.free
        pool.free = task
        pool.idle += 1
    }
}

/// Where tasks park: to call `wait` is to hand one's job to the executor.
private actor Park {
    nonisolated let executor = ParkExecutor()
    nonisolated var unownedExecutor: UnownedSerialExecutor { UnownedSerialExecutor(ordinary: executor) }

    /// Returns when the executor's owner runs the job. The call into C keeps the compiler from leaving the hop out.
    @inline(never) func wait() { _ = gale_version() }
}
