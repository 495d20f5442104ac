internal import GaleCore
internal import Logging

/// Brings the events of a socket to its handler, one at a time, in a task that exists while there is something to do.
final class WebSocketSession: MessageSocket, LoopWork {
    private enum Event {
        case open
        case message(WebSocketMessage)
        case close
    }

    /// Until `onClose` has returned: handler and session hold each other.
    private var handler: WebSocketHandler?
    private let application: Application?
    private var isOpenDue = false
    private var isCloseDue = false
    /// The task that runs `perform`, while it does.
    private var task: LoopTask?
    private var isPerforming = false

    init(_ handler: WebSocketHandler, on worker: Worker) {
        self.handler = handler
        application = handler.application
        super.init(on: worker)
    }

    /// The handshake is done: opens the handler. Messages wait meanwhile.
    func begin() {
        isOpenDue = true
        startPerforming()
    }

    private func startPerforming() {
        isPerforming = true
        let started = worker.tasks(for: WebSocketSession.self).start(self)
        guard isPerforming else { return }
        task = started
        if !isAwaited { holdBack() }
    }

    override func arrived() {
        if !isPerforming { return startPerforming() }
        holdBack()
        announce()
    }

    override func receivedPing(_ payload: Span<UInt8>) { handler?.onPing([UInt8](copying: payload)) }
    override func receivedPong(_ payload: Span<UInt8>) { handler?.onPong([UInt8](copying: payload)) }

    override func lagged(topic: String, dropped: Int) {
        handler?.onLag(Topics.name(ofCore: topic), dropped: dropped)
    }

    override func closed(code: Int, reason: String) {
        handler?.closeCode = code
        handler?.closeReason = reason
        ended()
        isCloseDue = true
        if isPerforming {
            task?.cancel()
        } else {
            startPerforming()
        }
    }

    private var hasEvent: Bool { isOpenDue || waiting > 0 || isCloseDue }

    private func nextEvent() -> Event? {
        if isOpenDue {
            isOpenDue = false
            return .open
        }
        if let message = take() { return .message(message) }
        if !isCloseDue { return nil }
        isCloseDue = false
        return .close
    }

    func perform() async {
        while let event = nextEvent() {
            let wasClosed = isClosed
            await handle(event)
            // Cancelled, the task is not used again: what is left is done by another.
            if isClosed && !wasClosed { break }
        }
        isPerforming = false
        task = nil
        if hasEvent { return startPerforming() }
        goOn()
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
}
