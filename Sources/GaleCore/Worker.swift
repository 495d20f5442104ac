internal import CGale

/// One loop on one thread, with what Swift keeps for it: executor, parked tasks, spare exchanges, timers.
///
/// Only for the loop's thread, except where a function says otherwise.
public final class Worker: @unchecked Sendable {
    // @unchecked: mutable state is touched on the loop's thread alone; `post` and `executor` are safe anywhere.
    let pointer: OpaquePointer
    /// The server this is a worker of.
    public unowned let server: Server
    /// Runs tasks on this loop. Any thread.
    public let executor: LoopExecutor
    /// What the layer above keeps for each worker.
    public var context: AnyObject?

    @exclusivity(unchecked) private var lots: [ObjectIdentifier: LoopTaskLot] = [:]
    @exclusivity(unchecked) private var spare: Exchange?
    @exclusivity(unchecked) private var spareCount = 0
    private var timers: [ObjectIdentifier: LoopTimer] = [:]

    init(_ pointer: OpaquePointer, server: Server) {
        self.pointer = pointer
        self.server = server
        executor = LoopExecutor(worker: pointer)
    }

    /// The worker whose loop runs the caller; nil on other threads.
    public static var current: Worker? {
        guard let pointer = gale_worker_current() else { return nil }
        return of(pointer)
    }

    static func of(_ pointer: OpaquePointer) -> Worker? {
        guard let data = gale_worker_data(pointer) else { return nil }
        return Unmanaged<Worker>.fromOpaque(data).takeUnretainedValue()
    }

    /// Calls `body` with a worker that the caller's callback keeps alive.
    @inline(__always)
    static func with(_ pointer: OpaquePointer, _ body: (Worker) -> Void) {
        guard let data = gale_worker_data(pointer) else { return }
        Unmanaged<Worker>.fromOpaque(data)._withUnsafeGuaranteedRef(body)
    }

    /// Which of the server's workers this is.
    public var index: Int { gale_worker_index(pointer) }
    /// Monotonic milliseconds, as of the start of this turn of the loop.
    public var now: UInt64 { gale_worker_now(pointer) }
    /// Whether the caller is on this worker's thread. Any thread.
    public var isCurrent: Bool { executor.isCurrent }

    // MARK: Work

    /// The tasks that do this kind of work on this loop.
    public func tasks<Work: LoopWork>(for kind: Work.Type) -> LoopTaskPool<Work> {
        if let lot = lots[ObjectIdentifier(kind)] { return LoopTaskPool(lot) }
        let lot = LoopTaskLot(executor: executor)
        lots[ObjectIdentifier(kind)] = lot
        return LoopTaskPool(lot)
    }

    /// Calls `body` on the loop's thread; false if the worker has ended. Any thread.
    @discardableResult
    public func post(_ body: @escaping @Sendable () -> Void) -> Bool { Worker.post(pointer, body) }

    static func post(_ pointer: OpaquePointer, _ body: @escaping @Sendable () -> Void) -> Bool {
        let box = Unmanaged.passRetained(PostBox(body))
        let result = gale_worker_post(
            pointer,
            { argument in
                guard let argument else { return }
                let box = Unmanaged<PostBox>.fromOpaque(argument).takeRetainedValue()
                let worker = Worker.current
                worker?.executor.enter()
                box.body()
                worker?.executor.leave()
            }, box.toOpaque())
        if result < 0 { box.release() }
        return result >= 0
    }

    private final class PostBox {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    // MARK: Exchanges

    /// Spare exchanges kept for later requests.
    private static let spareLimit = 1024

    func takeExchange() -> Exchange {
        // Moved, not copied: no reference is counted.
        var taken: Exchange?
        swap(&taken, &spare)
        guard let exchange = taken else { return server.delegate.makeExchange(on: self) }
        swap(&spare, &exchange.nextSpare)
        spareCount -= 1
        return exchange
    }

    /// Keeps an ended exchange for another request, unless somebody still holds it: a stale one stays dead.
    func recycle(_ reference: Unmanaged<Exchange>) {
        var ended: Exchange? = reference.takeRetainedValue()
        guard isKnownUniquelyReferenced(&ended), spareCount < Self.spareLimit else { return }
        ended?.reset()
        if let ended { swap(&ended.nextSpare, &spare) }
        swap(&spare, &ended)
        spareCount += 1
    }

    // MARK: Timers

    func keep(_ timer: LoopTimer) { timers[ObjectIdentifier(timer)] = timer }
    func drop(_ timer: LoopTimer) { timers[ObjectIdentifier(timer)] = nil }

    // MARK: End

    /// Lets go of everything: in on_worker_stop, on the loop's thread.
    func close() {
        for timer in Array(timers.values) { timer.fireForTheLastTime() }
        timers.removeAll()
        for lot in lots.values { lot.close() }
        executor.close()
        while let exchange = spare {
            spare = exchange.nextSpare
            exchange.nextSpare = nil
        }
        context = nil
    }
}
