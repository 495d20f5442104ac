internal import CGale

/// One request and its response, on the loop of its connection.
///
/// The layer above subclasses it and overrides the events. The object is used again for later requests, but never
/// while somebody holds it: after `ended` every view is empty and every call throws `CoreError.gone`.
/// Loop thread only.
open class Exchange {
    // Exclusivity is unchecked here and below: one thread, and no access lasts longer than its line.
    @exclusivity(unchecked) final var pointer: OpaquePointer?
    @exclusivity(unchecked) final var nextSpare: Exchange?
    /// What the views show when there is no request of the core's any more.
    @exclusivity(unchecked) public final var snapshot: HeadSnapshot?
    /// What `readForm` has begun.
    @exclusivity(unchecked) public internal(set) final var form: ReceivedForm?
    /// Within `received`: whoever ends the request then leaves the object alone.
    @exclusivity(unchecked) final var isReceiving = false
    /// The worker whose loop this runs on.
    public final let worker: Worker

    /// Made by `ServerDelegate.makeExchange`.
    public init(on worker: Worker) { self.worker = worker }

    // MARK: Events

    /// The head is complete. Answer, collect the body, or keep the exchange for later.
    open func received() {}
    /// A piece of the body, or after `collect` the whole of it.
    open func receivedBody(_ chunk: Span<UInt8>, last: Bool) {}
    /// The send queue has become short after `sendPiece` had returned true.
    open func drained() {}
    /// The request is over; its views still work until this returns.
    open func ended(_ outcome: Outcome) {}
    /// Forget everything of the request: the object waits for another.
    open func reset() {}

    // MARK: State

    /// Whether the request can still be answered or written to.
    public final var isOpen: Bool { pointer != nil }
    /// Whether the head of the response is decided.
    public final var hasBegun: Bool {
        guard let pointer else { return true }
        return gale_resp_begun(pointer)
    }

    final func live() throws(CoreError) -> OpaquePointer {
        guard let pointer else { throw CoreError.gone }
        return pointer
    }

    // MARK: Head

    /// The request method, as it stood on the request line.
    @inlinable
    public final func withMethod<R>(_ body: (Span<UInt8>) throws -> R) rethrows -> R {
        try body(Span(_unsafeElements: methodBytes))
    }

    /// The target as it stood on the request line.
    @inlinable
    public final func withTarget<R>(_ body: (Span<UInt8>) throws -> R) rethrows -> R {
        try body(Span(_unsafeElements: targetBytes))
    }

    /// The path of the target, not decoded.
    @inlinable
    public final func withPath<R>(_ body: (Span<UInt8>) throws -> R) rethrows -> R {
        try body(Span(_unsafeElements: pathBytes))
    }

    /// What stands after '?' in the target.
    @inlinable
    public final func withQuery<R>(_ body: (Span<UInt8>) throws -> R) rethrows -> R {
        try body(Span(_unsafeElements: queryBytes))
    }

    /// The collected body.
    @inlinable
    public final func withBody<R>(_ body: (Span<UInt8>) throws -> R) rethrows -> R {
        try body(Span(_unsafeElements: bodyBytes))
    }

    @usableFromInline final var methodBytes: UnsafeBufferPointer<UInt8> {
        if let pointer { return gale_req_method(pointer).buffer }
        return snapshot?.slice(.method) ?? UnsafeBufferPointer(start: nil, count: 0)
    }
    @usableFromInline final var targetBytes: UnsafeBufferPointer<UInt8> {
        if let pointer { return gale_req_target(pointer).buffer }
        return snapshot?.slice(.target) ?? UnsafeBufferPointer(start: nil, count: 0)
    }
    @usableFromInline final var pathBytes: UnsafeBufferPointer<UInt8> {
        if let pointer { return gale_req_path(pointer).buffer }
        return snapshot?.slice(.path) ?? UnsafeBufferPointer(start: nil, count: 0)
    }
    @usableFromInline final var queryBytes: UnsafeBufferPointer<UInt8> {
        if let pointer { return gale_req_query(pointer).buffer }
        return snapshot?.slice(.query) ?? UnsafeBufferPointer(start: nil, count: 0)
    }
    @usableFromInline final var bodyBytes: UnsafeBufferPointer<UInt8> {
        guard let pointer else { return UnsafeBufferPointer(start: nil, count: 0) }
        return gale_req_body(pointer).buffer
    }

    /// The minor version: 1 for HTTP/1.1, 0 for HTTP/1.0.
    public final var minorVersion: Int {
        guard let pointer else { return 1 }
        return Int(gale_req_http_minor(pointer))
    }

    /// The first field of this name, as text; nil if there is none.
    public final func header(_ name: String) -> String? {
        guard let pointer else { return snapshot?.header(name) }
        var name = name
        return name.withUTF8 { name in
            let value = gale_req_header(pointer, gale_str_t(name))
            return value.ptr == nil ? nil : String(decoding: value.buffer, as: UTF8.self)
        }
    }

    /// Calls `body` with name and value of each field, in order of arrival.
    public final func forEachHeader(_ body: (Span<UInt8>, Span<UInt8>) -> Void) {
        guard let pointer else {
            snapshot?.forEachHeader(body)
            return
        }
        var fields: UnsafePointer<gale_header_t>?
        let count = gale_req_headers(pointer, &fields)
        for field in UnsafeBufferPointer(start: fields, count: count) {
            body(Span(_unsafeElements: field.name.buffer), Span(_unsafeElements: field.value.buffer))
        }
    }

    /// Whether a body comes with the request.
    public final var hasBody: Bool {
        guard let pointer else { return false }
        return gale_req_has_body(pointer)
    }

    /// Whether the client sends the body only after 100 Continue: it goes out when the body is let come.
    public final var expectsContinue: Bool {
        guard let pointer else { return false }
        return gale_req_expects_continue(pointer)
    }

    /// The announced Content-Length; -1 when chunked, 0 without body.
    public final var contentLength: Int {
        guard let pointer else { return 0 }
        return Int(clamping: gale_req_content_length(pointer))
    }

    /// The client's address, "" for unix sockets and memory; behind a trusted proxy the one that it names.
    public final var remoteAddress: String {
        guard let pointer else { return snapshot?.text(.remote) ?? "" }
        return address { gale_req_remote(pointer, $0, $1) }
    }

    /// The client's port; 0 when it has none, or the request is over.
    public final var remotePort: Int {
        guard let pointer else { return 0 }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            return max(Int(gale_req_remote(pointer, base, buffer.count)), 0)
        }
    }

    /// The address of who is connected, whatever proxies say.
    public final var peerAddress: String {
        guard let pointer else { return snapshot?.text(.peer) ?? "" }
        return address { gale_req_peer(pointer, $0, $1) }
    }

    private func address(_ write: (UnsafeMutablePointer<CChar>, Int) -> Int32) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            guard let base = buffer.baseAddress else { return "" }
            base.initialize(to: 0)
            _ = write(base, buffer.count)
            return String(cString: base)
        }
    }

    /// Who the request is for, as "example.org:8080".
    public final var host: String {
        guard let pointer else { return snapshot?.text(.host) ?? "" }
        return String(decoding: gale_req_host(pointer).buffer, as: UTF8.self)
    }

    /// "http" or "https".
    public final var scheme: String {
        guard let pointer else { return snapshot?.scheme ?? "http" }
        return String(decoding: gale_req_scheme(pointer).buffer, as: UTF8.self)
    }

    /// Whether the request asks for an upgrade to WebSocket.
    public final var wantsWebSocket: Bool {
        guard let pointer else { return false }
        return gale_req_wants_websocket(pointer)
    }

    /// Whether Origin is absent or names the host that Host names (RFC 6454 5).
    public final var isSameOrigin: Bool {
        guard let pointer else { return false }
        return gale_req_same_origin(pointer)
    }

    // MARK: Body

    /// Within `received`: collect the body, which then comes in one `receivedBody`.
    public final func collect(atMost limit: Int) throws(CoreError) {
        try check(gale_req_collect(try live(), UInt64(max(limit, 0))))
    }

    /// Within `received`: another limit for the streamed body.
    public final func setMaxBody(_ limit: Int) throws(CoreError) {
        try check(gale_req_set_max_body(try live(), UInt64(max(limit, 0))))
    }

    /// Which codings the response may be sent in, in place of the server's; before it has begun.
    public final func setCompression(_ codings: Codings) throws(CoreError) {
        try check(gale_req_set_compression(try live(), codings.rawValue))
    }

    /// Stops the body: no `receivedBody` until `resumeBody`.
    public final func pauseBody() {
        if let pointer { gale_req_pause(pointer) }
    }

    /// Lets the body come again.
    public final func resumeBody() {
        if let pointer { gale_req_resume(pointer) }
    }

    /// Copies the head, so that it can be read after the request has ended.
    public final func keepHead() {
        guard let pointer, snapshot == nil else { return }
        snapshot = HeadSnapshot(
            pointer, HeadSnapshot.Client(remote: remoteAddress, peer: peerAddress, host: host, scheme: scheme))
    }
}

extension Exchange {
    /// `received` has returned. Whether the request has ended meanwhile.
    func endReceiving() -> Bool {
        isReceiving = false
        return pointer == nil
    }

    /// The core's own request is over.
    func finish(status: Int32) {
        ended(status == 0 ? .finished : Outcome(status: status))
        if form != nil {
            form?.close()
            form = nil
        }
        pointer = nil
    }

    /// A request begins with this object.
    func attach(_ request: OpaquePointer) {
        pointer = request
        isReceiving = true
        if snapshot != nil { snapshot = nil }
    }
}
