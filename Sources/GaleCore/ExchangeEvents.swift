internal import CGale

/// One event of a stream of server-sent events (WHATWG HTML 9.2.6). A value of any thread.
public struct ServerSentEvent: Sendable, Equatable {
    /// Text of any number of lines; nil: the client only takes note of `id` and `retry`.
    public var data: String?
    /// Its type, one line; the client's default is "message".
    public var event: String?
    /// One line: what the client says in Last-Event-ID when it comes back; empty: it forgets.
    public var id: String?
    /// How long the client waits before it comes back.
    public var retry: Duration?

    /// An event with this text.
    public init(_ data: String? = nil, event: String? = nil, id: String? = nil, retry: Duration? = nil) {
        self.data = data
        self.event = event
        self.id = id
        self.retry = retry
    }
}

extension Exchange {
    /// Begins a stream of events. While nothing is sent, the core sends a comment every `heartbeat`.
    public final func beginEvents(heartbeat: Duration, fields: FieldBlock) throws(CoreError) {
        let request = try live()
        let milliseconds = UInt32(clamping: heartbeat.wholeMilliseconds)
        _ = try fields.withHeaders(type: nil) { (headers, count) throws(CoreError) in
            try check(gale_sse_begin(request, milliseconds, headers, count))
        }
    }

    /// Sends an event. True: the queue is long, `drained` tells when it isn't.
    public final func sendEvent(_ event: ServerSentEvent) throws(CoreError) -> Bool {
        let request = try live()
        var core = gale_sse_event_t()
        core.struct_size = MemoryLayout<gale_sse_event_t>.size
        core.retry_ms = UInt32(clamping: event.retry?.wholeMilliseconds ?? 0)
        let result = with(event.data) { data in
            with(event.event) { type in
                with(event.id) { id in
                    core.data = data
                    core.event = type
                    core.id = id
                    return gale_sse_send(request, &core)
                }
            }
        }
        try check(result)
        if let pointer { try check(gale_resp_flush(pointer)) }
        return result == 1
    }

    private func with(_ text: String?, _ body: (gale_str_t) -> Int32) -> Int32 {
        guard var text else { return body(gale_str_t(ptr: nil, len: 0)) }
        return text.withUTF8 { bytes in
            // Not null for an empty text: it is there.
            bytes.baseAddress == nil ? "".withCString { body(gale_str_t(ptr: $0, len: 0)) } : body(gale_str_t(bytes))
        }
    }
}
