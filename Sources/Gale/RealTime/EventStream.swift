public import GaleCore

/// A response that is a stream of server-sent events. Of one request, on its loop.
///
/// ```swift
/// override func get() async throws {
///     let events = try await eventStream()
///     for message in room.messages(after: events.lastEventID) { try await events.send(message.text, id: message.id) }
///     while true { ... }      // until the client leaves, which cancels the task
/// }
/// ```
///
/// A browser that comes back says which event it has seen last; proxies and browsers see a comment when nothing else is
/// sent for a while.
public struct EventStream {
    private let call: Call

    init(_ call: Call) { self.call = call }

    /// What the client has seen last; nil when it comes for the first time.
    public var lastEventID: String? { call.header("Last-Event-ID") }

    /// Sends an event, and waits until the client has taken most of what is queued. Throws `ResponseError`, and
    /// `CancellationError` when the client leaves meanwhile.
    public func send(_ event: ServerSentEvent) async throws { try await call.sendEvent(event) }

    /// Sends text as an event. Throws as `send`.
    public func send(_ data: String, event: String? = nil, id: String? = nil) async throws {
        try await send(ServerSentEvent(data, event: event, id: id))
    }

    /// Sends a value as an event, in JSON. Throws as `send` and what the encoding throws.
    public func send<T: Encodable>(json value: T, event: String? = nil, id: String? = nil) async throws {
        try await send(
            ServerSentEvent(String(decoding: try JSONCoding.encode(value), as: UTF8.self), event: event, id: id))
    }
}

extension EventStream: Reply {
    /// A closure that returns its stream ends it.
    public func reply(to request: Request) {}
}

extension Call {
    /// Begins a stream of events.
    func beginEvents(heartbeat: Duration) throws -> EventStream {
        if isFinished { throw ResponseError.finished }
        if isStreaming || !output.isEmpty || isDeferred { throw ResponseError.headSent }
        addCookies()
        do throws(CoreError) {
            try beginEvents(heartbeat: heartbeat, fields: fields)
            try sendQueued()
        } catch {
            throw refused(error)
        }
        isStreaming = true
        return EventStream(self)
    }

    func sendEvent(_ event: ServerSentEvent) async throws {
        if isFinished { throw ResponseError.finished }
        do throws(CoreError) {
            if try !sendEvent(event) { return }
        } catch {
            throw refused(error)
        }
        try await waitForDrain()
    }
}

extension RequestHandler {
    /// Answers with a stream of events: 200 and the fields set so far. While nothing is sent, a comment goes out every
    /// `heartbeat`. Throws `ResponseError` when something has been written.
    public final func eventStream(heartbeat: Duration = .seconds(15)) throws -> EventStream {
        guard let call else { throw ResponseError.clientGone }
        return try call.beginEvents(heartbeat: heartbeat)
    }
}

extension Response {
    /// The same for closures: `request.response.eventStream()`.
    public func eventStream(heartbeat: Duration = .seconds(15)) throws -> EventStream {
        guard let call else { throw ResponseError.clientGone }
        return try call.beginEvents(heartbeat: heartbeat)
    }
}
