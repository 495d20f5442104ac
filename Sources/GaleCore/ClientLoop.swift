/// A loop for clients of programs that have none of their own: begun with the first, stopped after the last. Any thread.
public final class ClientLoop: Sendable {
    private struct Running {
        let delegate: ClientLoopDelegate
        let server: Server
        var leases = 0
    }
    private let running = Guarded<Running?>(nil)

    /// The one that all share.
    public static let shared = ClientLoop()

    init() {}

    /// A share in it: as long as there is one, it runs. Any thread.
    public final class Lease: Sendable {
        /// The one worker of the loop.
        public let worker: Worker
        // The worker only knows it.
        private let server: Server
        private let loop: ClientLoop

        fileprivate init(_ worker: Worker, _ server: Server, of loop: ClientLoop) {
            self.worker = worker
            self.server = server
            self.loop = loop
        }

        deinit { loop.leave() }
    }

    /// Takes a share. Throws `CoreError` when no loop can be begun.
    public func lease() async throws -> Lease {
        let now = try running.withLock { running in
            var now = try running ?? start()
            now.leases += 1
            running = now
            return now
        }
        await now.server.ready()
        guard let worker = now.delegate.worker.withLock({ $0 }) else {
            leave()
            throw CoreError.state
        }
        return Lease(worker, now.server, of: self)
    }

    /// Whether it runs now.
    var isRunning: Bool { running.withLock { $0 != nil } }

    private func start() throws(CoreError) -> Running {
        var configuration = ServerConfiguration()
        configuration.workers = 1
        let delegate = ClientLoopDelegate()
        let server = try Server(configuration, delegate: delegate)
        try server.start()
        return Running(delegate: delegate, server: server)
    }

    private func leave() {
        let last = running.withLock { running -> Server? in
            guard var left = running else { return nil }
            left.leases -= 1
            running = left.leases == 0 ? nil : left
            return left.leases == 0 ? left.server : nil
        }
        guard let last else { return }
        last.stop()
        // Not here, which may be its own thread.
        Task { await last.join() }
    }
}

/// Nothing is listened on, so there are no requests.
private final class ClientLoopDelegate: ServerDelegate {
    let worker = Guarded<Worker?>(nil)

    func makeExchange(on worker: Worker) -> Exchange { Exchange(on: worker) }
    func workerStarted(_ worker: Worker) { self.worker.withLock { $0 = worker } }
    func workerStopped(_ worker: Worker) { self.worker.withLock { $0 = nil } }
    func stopping() {}
}
