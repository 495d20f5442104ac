internal import CGale

/// What a server asks of the layer above.
public protocol ServerDelegate: AnyObject, Sendable {
    /// A new object for a request; later requests use it again. Loop thread.
    func makeExchange(on worker: Worker) -> Exchange
    /// A loop is about to run. On its thread.
    func workerStarted(_ worker: Worker)
    /// A loop has ended. On its thread.
    func workerStopped(_ worker: Worker)
    /// The server is about to stop. Once, on any thread.
    func stopping()
}

/// A server of the core: listeners and workers.
public final class Server: @unchecked Sendable {
    // @unchecked: the C object says which call is safe where (gale.h, Threads); `state` is under its lock.
    let pointer: OpaquePointer
    let delegate: any ServerDelegate
    private let state = Guarded(State())

    private struct State {
        var running = 0
        var started = 0
        var isStarted = false
        var isStopping = false
        var waiters: [UnsafeContinuation<Void, Never>] = []
        var startWaiters: [UnsafeContinuation<Void, Never>] = []
    }

    /// Makes a server that listens nowhere yet.
    public init(_ configuration: ServerConfiguration, delegate: any ServerDelegate) throws(CoreError) {
        var made: OpaquePointer?
        let result = configuration.withCore { gale_server_new(&made, &$0) }
        if result < 0 {
            throw CoreError(result, sentence: configuration.mistake(result))
        }
        guard let made else { throw CoreError.limit }
        pointer = made
        self.delegate = delegate
        var handler = gale_handler()
        Callbacks.install(&handler)
        let failure = gale_server_handle(pointer, &handler, Unmanaged.passUnretained(self).toOpaque())
        if failure < 0 {
            gale_server_free(pointer)
            throw CoreError(failure)
        }
    }

    deinit { gale_server_free(pointer) }

    /// Adds a listening socket: "http://HOST:PORT" or "unix:PATH". Throws with the core's sentence.
    public func listen(_ url: String) throws(CoreError) { try sentence(gale_server_listen(pointer, url)) }

    /// The port of the index-th `listen`, as bound.
    public func port(_ index: Int = 0) -> Int { Int(gale_server_port(pointer, index)) }

    /// Starts the workers on threads of their own. `join` must follow.
    public func start() throws(CoreError) {
        state.withLock { state in
            state.isStarted = true
            state.running = gale_server_workers(pointer)
        }
        let result = gale_server_start(pointer)
        if result < 0 { state.withLock { $0.running = 0 } }
        try sentence(result)
    }

    /// Stops gracefully; a second call cuts. Any thread.
    public func stop() {
        let isFirst = state.withLock { state in
            defer { state.isStopping = true }
            return !state.isStopping
        }
        if isFirst { delegate.stopping() }
        gale_server_stop(pointer)
    }

    /// Whether `stop` has been called. Any thread.
    public var isStopping: Bool { state.withLock { $0.isStopping } }

    /// Waits until all workers run.
    public func ready() async {
        await withUnsafeContinuation { continuation in
            let now = state.withLock { state in
                if state.started >= gale_server_workers(pointer) { return true }
                state.startWaiters.append(continuation)
                return false
            }
            if now { continuation.resume() }
        }
    }

    /// Waits until all workers have ended, then joins their threads.
    public func join() async {
        await withUnsafeContinuation { continuation in
            let now = state.withLock { state in
                if state.running == 0 { return true }
                state.waiters.append(continuation)
                return false
            }
            if now { continuation.resume() }
        }
        // Blocks for the few instructions a thread still needs after its last callback.
        gale_server_join(pointer)
    }

    /// Calls `body` on the loop of the index-th worker; false when it doesn't run. Any thread.
    @discardableResult
    public func post(to index: Int = 0, _ body: @escaping @Sendable () -> Void) -> Bool {
        guard let worker = gale_server_worker(pointer, index) else { return false }
        return Worker.post(worker, body)
    }

    func workerStarted() {
        let waiters = state.withLock { state -> [UnsafeContinuation<Void, Never>] in
            state.started += 1
            guard state.started >= gale_server_workers(pointer) else { return [] }
            let waiters = state.startWaiters
            state.startWaiters = []
            return waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func workerStopped() {
        let waiters = state.withLock { state -> [UnsafeContinuation<Void, Never>] in
            state.running -= 1
            guard state.running == 0 else { return [] }
            let waiters = state.waiters
            state.waiters = []
            return waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    private func sentence(_ result: Int32) throws(CoreError) {
        if result < 0 { throw CoreError(result, sentence: String(cString: gale_server_errmsg(pointer))) }
    }
}
