internal import CGale

/// The loop that a service of an application lives on: the first worker's.
///
/// Safe on any thread, for as long as somebody holds it: once the server has stopped, `post` gives false.
public final class ServiceLoop: Sendable {
    private let place: Guarded<Worker?>
    /// Runs tasks on this loop.
    public let executor: any TaskExecutor
    /// The `uv_loop_t` of libuv, for C code that is attached to it. What is done with it is done on its thread,
    /// between the service's `start` and `stop`; handles are closed in `stop` at the latest, and their last callbacks
    /// still come.
    public nonisolated(unsafe) let uvLoop: UnsafeMutableRawPointer

    package init(_ worker: Worker) {
        place = Guarded(worker)
        executor = worker.executor
        uvLoop = gale_worker_loop(worker.pointer)
    }

    /// Calls `body` on the loop's thread, in the order in which each thread posts, and never within the call. False
    /// when the loop has ended: it is not called.
    @discardableResult
    public func post(_ body: @escaping @Sendable () -> Void) -> Bool {
        // Under the lock: the worker lives until `close` has taken it.
        place.withLock { $0?.post(body) ?? false }
    }

    /// Whether the caller is on the loop's thread.
    public var isCurrent: Bool { place.withLock { $0 }?.isCurrent ?? false }

    /// Calls `body` after that time, on the loop, where this is called, too. Throws when memory ran out or the loop has
    /// ended. Timers that nobody stops fire when the loop ends.
    @discardableResult
    public func timer(after time: Duration, _ body: @escaping () -> Void) throws(CoreError) -> LoopTimer {
        guard let worker = place.withLock({ $0 }), worker.isCurrent else { throw CoreError.gone }
        return try LoopTimer.start(on: worker, after: time.wholeMilliseconds, body)
    }

    /// For what libuv calls for handles of one's own: runs `body` as a callback of the server, then the tasks it has
    /// made ready. On the loop.
    public func callback(_ body: () -> Void) {
        guard let worker = place.withLock({ $0 }) else { return body() }
        withoutActuallyEscaping(body) { body in
            var entered = {
                worker.executor.enter()
                body()
                worker.executor.leave()
            }
            withUnsafeMutablePointer(to: &entered) { entered in
                _ = gale_worker_call(
                    worker.pointer, { $0?.assumingMemoryBound(to: (() -> Void).self).pointee() }, entered)
            }
        }
    }

    /// The worker is about to end. On the loop.
    package func close() { place.withLock { $0 = nil } }
}
