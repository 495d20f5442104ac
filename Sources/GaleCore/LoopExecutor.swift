internal import CGale
internal import Synchronization

/// Runs tasks on one worker's loop thread (design.md 3: everything awaited resumes on the connection's loop).
///
/// Jobs made on the loop's thread wait in a ring that is emptied when the C callback in progress is over; jobs from
/// other threads come through the worker's mailbox. After the worker has ended, what is left of its tasks runs on the
/// global pool, so that nothing waits for ever.
public final class LoopExecutor: TaskExecutor, @unchecked Sendable {
    // @unchecked: `ring`, `depth` and `running` are touched by the loop's thread alone (enqueue looks first);
    // everything else is immutable or under the lock.
    private let worker: OpaquePointer
    // Exclusivity is unchecked here and below: one thread, and no access lasts longer than its line.
    @exclusivity(unchecked) private var ring = JobRing()
    @exclusivity(unchecked) private var depth = 0
    @exclusivity(unchecked) private var running = 0
    private let closed = Atomic<Bool>(false)
    private let inbox = Guarded(Inbox())

    private struct Inbox {
        var jobs: [UnownedJob] = []
        var posted = false
        var closed = false
    }

    /// Jobs run in one go before other events of the loop get their turn.
    private static let budget = 512

    init(worker: OpaquePointer) { self.worker = worker }

    /// Whether the caller is on this loop's thread, inside a callback.
    var isCurrent: Bool { gale_worker_current() == worker && !closed.load(ordering: .relaxed) }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent {
            ring.append(job)
        } else {
            enqueueFromElsewhere(job)
        }
    }

    private func enqueueFromElsewhere(_ job: UnownedJob) {
        let stranded = inbox.withLock { inbox in
            if inbox.closed { return true }
            inbox.jobs.append(job)
            // Under the lock: the worker is known to live until `close` has taken it.
            if !inbox.posted { inbox.posted = post() }
            return false
        }
        if stranded { globalConcurrentExecutor.enqueue(ExecutorJob(job)) }
    }

    private func post() -> Bool {
        let unmanaged = Unmanaged.passRetained(self)
        let result = gale_worker_post(
            worker,
            { argument in
                guard let argument else { return }
                let executor = Unmanaged<LoopExecutor>.fromOpaque(argument).takeRetainedValue()
                executor.enter()
                executor.takeInbox()
                executor.leave()
            }, unmanaged.toOpaque())
        if result < 0 { unmanaged.release() }
        return result >= 0
    }

    private func takeInbox() {
        let jobs = inbox.withLock { inbox in
            inbox.posted = false
            let jobs = inbox.jobs
            inbox.jobs.removeAll(keepingCapacity: jobs.count < 256)
            return jobs
        }
        for job in jobs { ring.append(job) }
    }

    /// Begins a callback from C. Loop thread.
    func enter() { depth += 1 }

    /// Ends a callback from C: the outermost one runs what has become ready. Loop thread.
    func leave() {
        if depth == 1 && !ring.isEmpty { drain() }
        depth -= 1
    }

    private func drain() {
        let executor = asUnownedTaskExecutor()
        var left = Self.budget
        running += 1
        while left > 0, let job = ring.popFirst() {
            job.runSynchronously(on: executor)
            left -= 1
        }
        running -= 1
        if !ring.isEmpty {
            inbox.withLock { inbox in
                if !inbox.posted { inbox.posted = post() }
            }
        }
    }

    /// Runs a job now, or after the one in progress: jobs don't nest. Loop thread.
    func run(_ job: UnownedJob) {
        if running > 0 {
            ring.append(job)
            return
        }
        running += 1
        job.runSynchronously(on: asUnownedTaskExecutor())
        running -= 1
    }

    /// Runs all that is ready and sends what comes later to the global pool. Loop thread, in on_worker_stop.
    func close() {
        repeat {
            takeInbox()
            running += 1
            while let job = ring.popFirst() { job.runSynchronously(on: asUnownedTaskExecutor()) }
            running -= 1
        } while !inbox.withLock { inbox in
            if inbox.jobs.isEmpty { inbox.closed = true }
            return inbox.closed
        }
        closed.store(true, ordering: .relaxed)
    }
}

/// A queue of jobs that keeps its storage.
struct JobRing {
    private var slots: [UnownedJob?] = Array(repeating: nil, count: 64)
    private var head = 0
    private var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func append(_ job: UnownedJob) {
        if count == slots.count { grow() }
        slots[(head + count) & (slots.count - 1)] = job
        count += 1
    }

    mutating func popFirst() -> UnownedJob? {
        if count == 0 { return nil }
        let job = slots[head]
        slots[head] = nil
        head = (head + 1) & (slots.count - 1)
        count -= 1
        return job
    }

    private mutating func grow() {
        var larger: [UnownedJob?] = Array(repeating: nil, count: slots.count * 2)
        for index in 0..<count { larger[index] = slots[(head + index) & (slots.count - 1)] }
        slots = larger
        head = 0
    }
}
