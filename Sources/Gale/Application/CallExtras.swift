internal import GaleCore

/// What a call keeps when a handler asks for it: parsed once, and only then.
final class CallExtras {
    /// The pieces of a streamed body.
    var body: BodyQueue?
    /// The request's cookies.
    var cookies: [(name: String, value: String)]?
    /// Whether the form is received between `prepare` and the method's function.
    var awaitsForm = false
    /// The fields of the query and of a form.
    var query: [(name: String, value: String)]?
    var form: [(name: String, value: String)]?
    /// Cookies for the response; a later one of the same name takes the place of an earlier one (WEB-16).
    var newCookies: [(name: String, line: String)] = []
    /// The request's XSRF token, decoded or made.
    var xsrfToken: XSRFToken?
    /// What `currentUser()` has given.
    var user: String??
    /// Values that middleware leaves for handlers.
    var values: [ObjectIdentifier: any Sendable] = [:]
}

/// The pieces of a body between the loop, which brings them, and the handler, which takes them.
final class BodyQueue {
    private var chunks: [[UInt8]] = []
    private(set) var isComplete = false
    private(set) var isBroken = false
    private var wakeup: Wakeup?

    /// Pieces that nobody has taken yet.
    var pending: Int { chunks.count }

    func append(_ chunk: Span<UInt8>, last: Bool) {
        if !chunk.isEmpty { chunks.append([UInt8](copying: chunk)) }
        if last { isComplete = true }
        wake()
    }

    /// The client is gone: who waits is woken.
    func fail() {
        isBroken = true
        wake()
    }

    private func wake() {
        wakeup?.wake(true)
        wakeup = nil
    }

    /// The next piece, nil at the end. While it is awaited the body flows. Throws when the client has left.
    func next(_ call: Call) async throws -> [UInt8]? {
        while true {
            if !chunks.isEmpty { return chunks.removeFirst() }
            if isComplete { return nil }
            if isBroken { throw ResponseError.clientGone }
            let wakeup = Wakeup()
            self.wakeup = wakeup
            call.resumeBody()
            _ = await wakeup.wait()
            try Task.checkCancellation()
        }
    }
}
