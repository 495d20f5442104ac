internal import GaleCore

/// The socket of a `WebSocketClient`, on its loop.
final class ClientSocket: MessageSocket, @unchecked Sendable {
    // @unchecked: all of it is touched on the thread of its loop alone (WebSocketClient.onLoop), but `state`, which has
    // a lock.

    /// What any thread may ask for.
    struct State: Sendable {
        var reference: SocketReference?
        var answer: SocketAnswer?
        var closing: (code: Int, reason: String)?
    }
    let state = Guarded(State())

    /// Messages that may wait for a reader: beyond them the server is held back, and its pings are not answered.
    private static let most = 16

    /// Holds the loop until the socket is closed.
    private var lease: ClientLoop.Lease?
    private let opening = Wakeup()
    private var failure: WebSocketConnectError?
    private var endings: [Wakeup] = []

    init(on worker: Worker, _ lease: ClientLoop.Lease?) {
        self.lease = lease
        super.init(on: worker)
    }

    // MARK: Opening

    /// Waits for what `connect` has begun.
    func waitForOpen() async throws {
        if await opening.wait() { return }
        if let failure { throw failure }
        abort()
        throw CancellationError()
    }

    override func opened(_ answer: SocketAnswer) {
        state.withLock {
            $0.answer = answer
            $0.reference = reference
        }
        opening.wake(true)
    }

    override func failed(_ error: CoreError, _ answer: SocketAnswer) {
        failure = WebSocketConnectError(
            description: error.description, status: answer.status == 0 ? nil : answer.status, headers: answer.headers)
        opening.wake(false)
        end(code: 1006, reason: error.description)
    }

    // MARK: Open

    override func arrived() {
        if waiting >= Self.most { holdBack() }
        announce()
    }

    override func closed(code: Int, reason: String) { end(code: code, reason: reason) }

    private func end(code: Int, reason: String) {
        state.withLock {
            $0.closing = (code, reason)
            $0.reference = nil
        }
        ended()
        for ending in endings { ending.wake(true) }
        endings = []
        lease = nil
    }

    func closeAndWait(code: Int, reason: String) async throws {
        if isClosed { return }
        do throws(CoreError) {
            try close(code: code, reason: reason)
        } catch {
            // It is being closed already.
            if error != .state { throw WebSocketClosed(error.description) }
        }
        let wakeup = Wakeup()
        endings.append(wakeup)
        if await !wakeup.wait() { try Task.checkCancellation() }
    }
}
