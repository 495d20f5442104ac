internal import GaleCore

/// One request on its way through the application: the exchange of the core, what the route captured, and the
/// response as far as it is made. Used again for later requests. Loop thread.
final class Call: Exchange {
    let application: Application
    private var entry: RouteEntry?
    private var endpoint: Endpoint?
    private(set) var method = Method.other
    var captures: [Range<Int>] = []
    var handler: RequestHandler?
    var started: ContinuousClock.Instant?

    // The response.
    var status = 200
    var fields = FieldBlock()
    var output: [UInt8] = []
    var isFinished = false
    var isStreaming = false
    /// With middleware around: what is finished is sent when the last of it has returned.
    var isDeferred = false
    var isSent = false
    var type: StaticString?
    var drain: Wakeup?

    /// What few requests need: caches, cookies, the streamed body.
    private var rare: CallExtras?
    /// The names of the route's captures.
    var captureNames: [String] { entry?.pattern.names ?? [] }
    var extras: CallExtras {
        if let rare { return rare }
        let made = CallExtras()
        rare = made
        return made
    }
    var extrasIfAny: CallExtras? { rare }

    init(_ application: Application, on worker: Worker) {
        self.application = application
        super.init(on: worker)
    }

    override func reset() {
        entry = nil
        endpoint = nil
        handler = nil
        rare = nil
        drain = nil
        type = nil
        status = 200
        isFinished = false
        isStreaming = false
        isDeferred = false
        isSent = false
        if fields.count > 0 { fields.removeAll() }
        if output.capacity > 65536 { output = [] } else { output.removeAll(keepingCapacity: true) }
    }

    // MARK: Events

    override func received() {
        if application.settings.accessLog { started = ContinuousClock.now }
        method = withMethod { Method($0) }
        switch withPath({ application.router.match($0, method, &captures) }) {
        case .found(let entry, let endpoint):
            self.entry = entry
            self.endpoint = endpoint
            begin(endpoint)
        case .notAllowed(let methods):
            fail(HTTPError(405, headers: [("Allow", methods.allow)]))
        case .notFound:
            fail(method == .options && withPath { $0.count == 1 && $0[0] == UInt8(ascii: "*") } ? HTTPError(204) : HTTPError(404))
        }
    }

    private func begin(_ endpoint: Endpoint) {
        if hasBody {
            if case .handler(let factory) = endpoint, factory.streamsBody {
                extras.body = BodyQueue()
            } else {
                // Refused only in the wrong state; the core answers 413 by itself.
                do { try collect(atMost: application.maxBody) } catch { fail(error) }
                return
            }
        }
        run(endpoint)
    }

    override func receivedBody(_ chunk: Span<UInt8>, last: Bool) {
        if let queue = rare?.body {
            if !chunk.isEmpty { pauseBody() }
            queue.append(chunk, last: last)
        } else if last, let endpoint {
            run(endpoint)
        }
    }

    private func run(_ endpoint: Endpoint) {
        if case .sync(let body) = endpoint, let entry, entry.middleware.isEmpty {
            do {
                try body(Request(self))
                if !isFinished { try finish() }
            } catch {
                fail(error)
            }
            return
        }
        isPerforming = true
        startTask()
    }

    override func perform() async {
        do {
            if let entry, !entry.middleware.isEmpty {
                isDeferred = true
                try await pass(Request(self), through: entry.middleware[...])
                isDeferred = false
                if isFinished && !isSent { try sendWhole() }
            } else {
                try await runEndpoint()
            }
            if !isFinished { try finish() }
        } catch {
            isDeferred = false
            fail(error)
        }
        isPerforming = false
        task = nil
        // They hold each other.
        handler = nil
    }

    private func pass(_ request: Request, through middleware: ArraySlice<any Middleware>) async throws {
        guard let first = middleware.first else { return try await runEndpoint() }
        try await first.handle(request) { request in
            try await self.pass(request, through: middleware.dropFirst())
        }
    }

    private func runEndpoint() async throws {
        switch endpoint {
        case .sync(let body): try body(Request(self))
        case .async(let body): try await body(Request(self))
        case .handler(let factory):
            let handler = factory.make()
            self.handler = handler
            handler.call = self
            await handler.live(self)
        case nil: throw HTTPError(404)
        }
    }

    override func drained() {
        drain?.wake(true)
        drain = nil
    }

    override func ended(_ outcome: Outcome) {
        drain?.wake(false)
        drain = nil
        rare?.body?.fail()
        if case .failed = outcome, isPerforming {
            task?.cancel()
            handler?.onConnectionClose()
        }
        if let started { AccessLog.write(self, outcome, since: started) }
    }
}
