internal import GaleCore

/// What is left of the call of a WebSocket's handshake while the socket is open.
struct KeptCall {
    let application: Application
    let head: HeadSnapshot?
    let entry: RouteEntry?
    let captures: [Range<Int>]
}

/// One request on its way through the application: the exchange of the core, what the route captured, and the
/// response as far as it is made. Used again for later requests. Loop thread.
final class Call: Exchange, LoopWork {
    let application: Application
    private let tasks: LoopTaskPool<Call>
    /// The task that runs `perform`, while it does.
    @exclusivity(unchecked) private var task: LoopTask?
    @exclusivity(unchecked) private var isPerforming = false
    // Exclusivity is unchecked here and below: one thread, and no access lasts longer than its line.
    @exclusivity(unchecked) private var entry: RouteEntry?
    @exclusivity(unchecked) private(set) var method = Method.other
    @exclusivity(unchecked) var captures: [Range<Int>] = []
    @exclusivity(unchecked) var handler: RequestHandler?
    @exclusivity(unchecked) var started: ContinuousClock.Instant?

    // The response.
    @exclusivity(unchecked) private var progress = Progress()
    let fields = FieldBlock()
    @exclusivity(unchecked) var output: [UInt8] = []
    @exclusivity(unchecked) var type: StaticString?
    @exclusivity(unchecked) var drain: Wakeup?

    /// How far the response is.
    private struct Progress {
        var status = 200
        var isFinished = false
        var isStreaming = false
        var isDeferred = false
        var isSent = false
    }

    var status: Int {
        get { progress.status }
        set { progress.status = newValue }
    }
    var isFinished: Bool {
        get { progress.isFinished }
        set { progress.isFinished = newValue }
    }
    var isStreaming: Bool {
        get { progress.isStreaming }
        set { progress.isStreaming = newValue }
    }
    /// With middleware around: what is finished is sent when the last of it has returned.
    var isDeferred: Bool {
        get { progress.isDeferred }
        set { progress.isDeferred = newValue }
    }
    var isSent: Bool {
        get { progress.isSent }
        set { progress.isSent = newValue }
    }

    /// What few requests need: caches, cookies, the streamed body.
    @exclusivity(unchecked) private var rare: CallExtras?
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
        tasks = worker.tasks(for: Call.self)
        super.init(on: worker)
    }

    /// One that is over, as a socket's handler sees it: everything of the request is there, nothing can be answered.
    init(_ kept: KeptCall, on worker: Worker, _ extras: CallExtras?) {
        application = kept.application
        tasks = worker.tasks(for: Call.self)
        super.init(on: worker)
        snapshot = kept.head
        entry = kept.entry
        method = .get
        captures = kept.captures
        rare = extras
        isFinished = true
        isSent = true
    }

    /// What of it a socket keeps.
    func keep() -> KeptCall {
        keepHead()
        return KeptCall(application: application, head: snapshot, entry: entry, captures: captures)
    }

    override func reset() {
        // The entry stays: the next request may well be for the same, and the application keeps it anyway.
        progress = Progress()
        if handler != nil { handler = nil }
        if rare != nil { rare = nil }
        if type != nil { type = nil }
        if fields.count > 0 { fields.removeAll() }
        if output.capacity > 65536 { output = [] } else if !output.isEmpty { output.removeAll(keepingCapacity: true) }
    }

    // MARK: Events

    override func received() {
        if application.settings.accessLog { started = ContinuousClock.now }
        method = withMethod { Method($0) }
        switch withPath({ application.router.match($0, method, &captures) }) {
        case .found(let found):
            if entry !== found { entry = found }
            begin(found)
        case .notAllowed(let methods):
            fail(HTTPError(405, headers: [("Allow", methods.allow)]))
        case .notFound:
            let isServer = method == .options && withPath { $0.count == 1 && $0[0] == UInt8(ascii: "*") }
            fail(HTTPError(isServer ? 204 : 404))
        }
    }

    private func begin(_ entry: RouteEntry) {
        if !hasBody { return run(entry) }
        let limit = entry.maxBody(method)
        do throws(CoreError) {
            if case .handler(let factory) = entry.endpoint(method), factory.streamsBody || factory.receivesForm {
                if let limit { try setMaxBody(limit) }
                if factory.receivesForm, try awaitForm() { return run(entry) }
                if !factory.streamsBody { return try collect(atMost: limit ?? application.maxBody) }
                extras.body = BodyQueue()
                // A client that waits for 100 Continue is told when the handler wants the body (H1-06).
                if expectsContinue { pauseBody() }
                return run(entry)
            }
            try collect(atMost: limit ?? application.maxBody)
        } catch {
            // Above the limit the core answers 413 by itself.
            if error != .limit { fail(error) }
        }
    }

    override func receivedBody(_ chunk: Span<UInt8>, last: Bool) {
        if let queue = rare?.body {
            if !chunk.isEmpty { pauseBody() }
            queue.append(chunk, last: last)
        } else if last, !awaitsForm, let entry {
            run(entry)
        }
    }

    private func run(_ entry: RouteEntry) {
        guard entry.isPlain, let body = entry.syncBody(method) else {
            isPerforming = true
            let started = tasks.start(self)
            if isPerforming { task = started }
            return
        }
        do {
            try body(Request(self))
            if !isFinished { try finish() }
        } catch {
            fail(error)
        }
    }

    @inline(__always)
    func perform() async {
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

    @inline(__always)
    private func runEndpoint() async throws {
        switch entry?.endpoint(method) {
        case .sync(let body): try body(Request(self))
        case .async(let body): try await body(Request(self))
        case .handler(let factory):
            let handler = factory.make()
            self.handler = handler
            handler.call = self
            await handler.live(self, preparing: factory.hasPrepare)
        case nil: throw HTTPError(404)
        }
    }

    override func drained() {
        drain?.wake(true)
        drain = nil
    }

    override func ended(_ outcome: Outcome) {
        if drain != nil {
            drain?.wake(false)
            drain = nil
        }
        rare?.body?.fail()
        if case .failed = outcome, isPerforming {
            task?.cancel()
            handler?.onConnectionClose()
        }
        if let started { AccessLog.write(self, outcome, since: started) }
    }
}
