/// Something that runs asynchronously on a loop: a request, or a WebSocket with something to do.
public protocol LoopWork: AnyObject, SendableMetatype {
    /// The work. It runs on the loop's thread, in a task that is cancelled when the client leaves.
    func perform() async
}

/// The tasks of one loop that do one kind of work; `Worker.tasks(for:)` has it. Loop thread.
///
/// It can be inlined into the module that defines the work, and the work into the task: each function of its own would
/// cost two looks at the task's executor.
public struct LoopTaskPool<Work: LoopWork> {
    @usableFromInline let lot: LoopTaskLot

    init(_ lot: LoopTaskLot) { self.lot = lot }

    /// Does `work`: up to its first suspension before this returns, if a task was waiting and none is running.
    @inlinable
    public func start(_ work: Work) -> LoopTask { lot.wake(for: work) ?? spawn(work) }

    @inlinable
    func spawn(_ work: Work) -> LoopTask {
        let task = LoopTask()
        let lot = lot
        task.work = work
        task.handle = Task(executorPreference: lot.executor) {
            // A scope of its own for each piece of work: a parked task must not hold what is done.
            repeat {
                guard let work = task.takeWork() else { break }
                await unsafeDowncast(work, to: Work.self).perform()
            } while await LoopTaskPool.parks(task, lot)
            task.handle = nil
        }
        return task
    }

    @inlinable @inline(__always)
    static func parks(_ task: LoopTask, _ lot: LoopTaskLot) async -> Bool {
        if !lot.willPark(task) { return false }
        await lot.park.wait()
        return true
    }
}
