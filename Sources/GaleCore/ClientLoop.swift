/// A loop for clients of programs that have none of their own: begun with the first, stopped after the last.
public final class ClientLoop: ServerDelegate {
    private struct Running {
        let loop: ClientLoop
        let server: Server
        var leases = 0
    }
    private static let running = Guarded<Running?>(nil)

    private let worker = Guarded<Worker?>(nil)

    /// A share in it: as long as there is one, it runs. Any thread.
    public final class Lease: Sendable {
        /// The one worker of the loop.
        public let worker: Worker
        // The worker only knows it.
        private let server: Server

        fileprivate init(_ worker: Worker, _ server: Server) {
            self.worker = worker
            self.server = server
        }

        deinit { ClientLoop.leave() }
    }

    /// Takes a share. Throws `CoreError` when no loop can be begun.
    public static func lease() async throws -> Lease {
        let (loop, server) = try running.withLock { running in
            if running == nil { running = try start() }
            running?.leases += 1
            // Nil is not possible: it was set above.
            guard let running else { throw CoreError.state }
            return (running.loop, running.server)
        }
        await server.ready()
        guard let worker = loop.worker.withLock({ $0 }) else {
            leave()
            throw CoreError.state
        }
        return Lease(worker, server)
    }

    private static func start() throws(CoreError) -> Running {
        var configuration = ServerConfiguration()
        configuration.workers = 1
        let loop = ClientLoop()
        let server = try Server(configuration, delegate: loop)
        try server.start()
        return Running(loop: loop, server: server)
    }

    private static func leave() {
        let last = running.withLock { current -> Running? in
            guard var left = current else { return nil }
            left.leases -= 1
            current = left.leases == 0 ? nil : left
            return left.leases == 0 ? left : nil
        }
        guard let last else { return }
        last.server.stop()
        Task { await last.server.join() }
    }

    // MARK: ServerDelegate

    // Nothing is listened on, so there are no requests.
    public func makeExchange(on worker: Worker) -> Exchange { Exchange(on: worker) }
    public func workerStarted(_ worker: Worker) { self.worker.withLock { $0 = worker } }
    public func workerStopped(_ worker: Worker) { self.worker.withLock { $0 = nil } }
    public func stopping() {}
}
