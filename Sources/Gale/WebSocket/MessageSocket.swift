internal import GaleCore

/// What the sockets of handlers and of clients have in common: messages that wait to be taken while the peer is held
/// back, and those who wait for messages, for room to send, or for the end. On its loop.
class MessageSocket: Socket {
    private var inbox: [WebSocketMessage] = []
    private var drains: [Wakeup] = []
    private var arrival: Wakeup?
    // Flags come last here and first in subclasses: then they lie together.
    private var isPaused = false
    final private(set) var isClosed = false

    // MARK: For subclasses

    /// A message has come, and is the last that waits.
    func arrived() {}

    /// How many wait.
    final var waiting: Int { inbox.count }

    /// The one that has waited longest. An idle socket keeps no room for others.
    final func take() -> WebSocketMessage? {
        guard let message = inbox.first else { return nil }
        if inbox.count == 1 { inbox = [] } else { inbox.removeFirst() }
        return message
    }

    /// Whether somebody waits in `nextMessage`.
    final var isAwaited: Bool { arrival != nil }

    /// Wakes whoever waits for a message.
    final func announce() {
        arrival?.wake(true)
        arrival = nil
    }

    /// Nothing more comes until it is asked for.
    final func holdBack() {
        if isPaused || isClosed { return }
        isPaused = true
        pause()
    }

    /// Lets more come.
    final func goOn() {
        if !isPaused || isClosed { return }
        isPaused = false
        resume()
    }

    /// It is closed: whoever waits is told.
    final func ended() {
        isClosed = true
        for drain in drains { drain.wake(false) }
        drains = []
        arrival?.wake(false)
        arrival = nil
    }

    // MARK: Events

    override final func received(_ kind: MessageKind, _ bytes: Span<UInt8>) {
        inbox.append(kind == .text ? .text(String(repairing: bytes)) : .binary([UInt8](copying: bytes)))
        arrived()
    }

    override final func drained() {
        for drain in drains { drain.wake(true) }
        drains = []
    }

    // MARK: Waiting

    /// The next message; nil: the socket is closed.
    final func nextMessage() async throws -> WebSocketMessage? {
        while true {
            if let message = take() { return message }
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

    /// Sends a message, and waits while the peer is slow to take it.
    final func deliver(_ kind: MessageKind, _ bytes: Span<UInt8>) async throws {
        if try queue(kind, bytes) { try await waitForDrain() }
    }

    /// True: the queue is long.
    private func queue(_ kind: MessageKind, _ bytes: Span<UInt8>) throws(WebSocketClosed) -> Bool {
        do throws(CoreError) { return try send(kind, bytes) } catch { throw WebSocketClosed(error.description) }
    }

    private func waitForDrain() async throws {
        let wakeup = Wakeup()
        drains.append(wakeup)
        let drained = await wakeup.wait()
        try Task.checkCancellation()
        if !drained { throw WebSocketClosed("the WebSocket is closed") }
    }

    /// Sends a ping.
    final func sendPing(_ payload: Span<UInt8>) throws(WebSocketClosed) {
        do throws(CoreError) { try ping(payload) } catch { throw WebSocketClosed(error.description) }
    }

    /// Begins the closing handshake.
    final func beginClose(code: Int, reason: String) throws(WebSocketClosed) {
        do throws(CoreError) { try close(code: code, reason: reason) } catch {
            throw WebSocketClosed(error.description)
        }
    }
}
