internal import GaleCore
internal import Logging

/// Brings the events of a socket to its handler, one at a time, in a task that exists while there is something to do.
final class WebSocketSession: Socket, LoopWork {
    private enum Event {
        case open
        case message(WebSocketMessage)
        case close
    }

    /// Until `onClose` has returned: handler and session hold each other.
    private var handler: WebSocketHandler?
    private let application: Application?
    private var events: [Event] = []
    /// The task that runs `perform`, while it does.
    private var task: LoopTask?
    private var isPerforming = false
    private var isPaused = false
    private var isClosed = false
    private var drain: Wakeup?
    private var arrival: Wakeup?

    init(_ handler: WebSocketHandler, on worker: Worker) {
        self.handler = handler
        application = handler.application
        super.init(on: worker)
    }

    /// The handshake is done: opens the handler. Messages wait meanwhile.
    func begin() { add(.open) }

    private func add(_ event: Event) {
        events.append(event)
        if isPerforming {
            holdBack()
            arrival?.wake(true)
            arrival = nil
            return
        }
        startPerforming()
    }

    /// Nothing more comes until it is asked for.
    private func holdBack() {
        if isPaused || isClosed { return }
        isPaused = true
        pause()
    }

    private func goOn() {
        if !isPaused || isClosed { return }
        isPaused = false
        resume()
    }

    private func startPerforming() {
        isPerforming = true
        let started = worker.tasks(for: WebSocketSession.self).start(self)
        guard isPerforming else { return }
        task = started
        if arrival == nil { holdBack() }
    }

    override func received(_ kind: MessageKind, _ bytes: Span<UInt8>) {
        add(.message(kind == .text ? .text(String(repairing: bytes)) : .binary([UInt8](copying: bytes))))
    }

    override func receivedPing(_ payload: Span<UInt8>) { handler?.onPing([UInt8](copying: payload)) }
    override func receivedPong(_ payload: Span<UInt8>) { handler?.onPong([UInt8](copying: payload)) }

    override func lagged(topic: String, dropped: Int) {
        handler?.onLag(Topics.name(ofCore: topic), dropped: dropped)
    }

    override func drained() {
        drain?.wake(true)
        drain = nil
    }

    override func closed(code: Int, reason: String) {
        isClosed = true
        handler?.closeCode = code
        handler?.closeReason = reason
        drain?.wake(false)
        drain = nil
        arrival?.wake(false)
        arrival = nil
        events.append(.close)
        if isPerforming {
            task?.cancel()
        } else {
            startPerforming()
        }
    }

    func perform() async {
        while !events.isEmpty {
            let event = events.removeFirst()
            let wasClosed = isClosed
            await handle(event)
            // Cancelled, the task is not used again: what is left is done by another.
            if isClosed && !wasClosed { break }
        }
        isPerforming = false
        task = nil
        if !events.isEmpty { return startPerforming() }
        goOn()
    }

    /// The next message, taken out of its turn by a handler that is still at work; nil: the socket is closed.
    func nextMessage() async throws -> WebSocketMessage? {
        while true {
            if case .message(let message)? = events.first {
                events.removeFirst()
                return message
            }
            if isClosed { return nil }
            if arrival != nil { throw WebSocketClosed("the messages are being read by somebody else") }
            let wakeup = Wakeup()
            arrival = wakeup
            goOn()
            _ = await wakeup.wait()
            if arrival === wakeup { arrival = nil }
            if !isClosed { try Task.checkCancellation() }
        }
    }

    private func handle(_ event: Event) async {
        guard let handler else { return }
        do {
            switch event {
            case .open: try await handler.open()
            case .message(.text(let text)): try await handler.message(text)
            case .message(.binary(let bytes)): try await handler.message(bytes)
            case .close:
                await handler.onClose()
                self.handler = nil
            }
        } catch {
            failed(error)
        }
    }

    /// A handler that throws closes its socket: with 1007 or 1008 if the client is to blame, else with 1011. That the
    /// client is gone is no error.
    private func failed(_ error: any Error) {
        if isClosed || error is CancellationError || error is WebSocketClosed { return }
        if let error = error as? HTTPError, error.status < 500 {
            try? close(code: error.status == 400 ? 1007 : 1008, reason: "")
            return
        }
        let text = AccessLog.printable(String(describing: error))
        application?.settings.logger.error("uncaught error in a WebSocket: \(text)")
        try? close(code: 1011, reason: "")
    }

    // MARK: Sending

    /// True: the queue is long.
    func queue(_ kind: MessageKind, _ bytes: Span<UInt8>) throws(WebSocketClosed) -> Bool {
        do throws(CoreError) { return try send(kind, bytes) } catch { throw WebSocketClosed(error.description) }
    }

    func waitForDrain() async throws {
        let wakeup = Wakeup()
        drain?.wake(true)
        drain = wakeup
        let drained = await wakeup.wait()
        try Task.checkCancellation()
        if !drained { throw WebSocketClosed("the WebSocket is closed") }
    }
}
