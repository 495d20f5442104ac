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

    private let tasks: LoopTaskPool
    @exclusivity(unchecked) private var spare: Exchange?
    @exclusivity(unchecked) private var spareCount = 0
    private var timers: [ObjectIdentifier: LoopTimer] = [:]

    init(_ pointer: OpaquePointer, server: Server) {
        self.pointer = pointer
        self.server = server
        executor = LoopExecutor(worker: pointer)
        tasks = LoopTaskPool(executor: executor)
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

    /// Which of the server's workers this is.
    public var index: Int { gale_worker_index(pointer) }
    /// Monotonic milliseconds, as of the start of this turn of the loop.
    public var now: UInt64 { gale_worker_now(pointer) }
    /// Whether the caller is on this worker's thread. Any thread.
    public var isCurrent: Bool { executor.isCurrent }

    // MARK: Work

    /// Does asynchronous work on this loop, beginning at once when a parked task is there.
    @discardableResult
    public func start(_ work: any LoopWork) -> LoopTask { tasks.start(work) }

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
        guard let exchange = spare else { return server.delegate.makeExchange(on: self) }
        spare = exchange.nextSpare
        exchange.nextSpare = nil
        spareCount -= 1
        return exchange
    }

    /// Keeps an ended exchange for another request, unless somebody still holds it: a stale one stays dead.
    func recycle(_ exchange: inout Exchange) {
        guard isKnownUniquelyReferenced(&exchange), spareCount < Self.spareLimit else { return }
        exchange.reset()
        exchange.nextSpare = spare
        spare = exchange
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
        tasks.close()
        executor.close()
        while let exchange = spare {
            spare = exchange.nextSpare
            exchange.nextSpare = nil
        }
        context = nil
    }
}
