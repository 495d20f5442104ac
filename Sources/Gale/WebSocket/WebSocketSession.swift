internal import GaleCore
internal import Logging

/// Brings the events of a socket to its handler, one at a time, in a task that exists while there is something to do.
///
/// There is one for each idle socket: what few need is in `Rare`.
final class WebSocketSession: MessageSocket, LoopWork {
    private enum Event {
        case open
        case message(WebSocketMessage)
        case close
    }

    private final class Rare {
        var subprotocol: String?
        var closing: (code: Int, reason: String)?
        var name: WebSocketPeer?
        /// Of the call, between its recalls.
        var extras: CallExtras?
    }

    private var isOpenDue = false
    private var isCloseDue = false
    private var isPerforming = false
    /// The handler has a call, which must go before the socket is idle.
    private var isRecalled = true
    /// Until `onClose` has returned: handler and session hold each other.
    private var handler: WebSocketHandler?
    private let kept: KeptCall
    private var rare: Rare?
    /// The task that runs `perform`, while it does.
    private var task: LoopTask?

    init(_ handler: WebSocketHandler, _ kept: KeptCall, on worker: Worker, _ subprotocol: String?) {
        self.handler = handler
        self.kept = kept
        super.init(on: worker)
        if let subprotocol { rarities.subprotocol = subprotocol }
    }

    private var rarities: Rare {
        if let rare { return rare }
        let made = Rare()
        rare = made
        return made
    }

    var application: Application { kept.application }
    var subprotocol: String? { rare?.subprotocol }
    var closing: (code: Int, reason: String)? { rare?.closing }

    /// Names the socket; nil when it is closed and nobody has asked before.
    var name: WebSocketPeer? {
        if let known = rare?.name { return known }
        guard let reference else { return nil }
        let made = WebSocketPeer(reference)
        rarities.name = made
        return made
    }

    // MARK: The call of the handshake

    /// The call anew, for as long as something is being handled.
    func recall() -> Call {
        isRecalled = true
        return Call(kept, on: worker, rare?.extras)
    }

    private func forgetCall() {
        guard isRecalled, let handler else { return }
        isRecalled = false
        if let extras = handler.call?.extrasIfAny { rarities.extras = extras }
        handler.call = nil
    }

    // MARK: Events

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

    override func receivedPing(_ payload: Span<UInt8>) { tell { $0.onPing([UInt8](copying: payload)) } }
    override func receivedPong(_ payload: Span<UInt8>) { tell { $0.onPong([UInt8](copying: payload)) } }
    override func lagged(topic: String, dropped: Int) {
        tell { $0.onLag(Topics.name(ofCore: topic), dropped: dropped) }
    }

    /// Of what the handler hears at once.
    private func tell(_ body: (WebSocketHandler) -> Void) {
        guard let handler else { return }
        body(handler)
        if !isPerforming { forgetCall() }
    }

    override func closed(code: Int, reason: String) {
        rarities.closing = (code, reason)
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
        forgetCall()
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
    /// client is gone is no error, nor that its socket is closing; that another socket is, is one.
    private func failed(_ error: any Error) {
        if isClosed { return }
        let wasClosing = error is CancellationError || error is WebSocketClosed
        if let error = error as? HTTPError, error.status < 500 {
            try? close(code: error.status == 400 ? 1007 : 1008, reason: "")
            return
        }
        do throws(CoreError) {
            try close(code: 1011, reason: "")
        } catch {
            if wasClosing { return }
        }
        let text = AccessLog.printable(String(describing: error))
        application.settings.logger.error("uncaught error in a WebSocket: \(text)")
    }
}
