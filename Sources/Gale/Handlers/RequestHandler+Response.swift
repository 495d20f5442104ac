internal import GaleCore

extension RequestHandler {
    private var live: Call {
        get throws(ResponseError) {
            guard let call else { throw .clientGone }
            return call
        }
    }

    /// The status as it is set now.
    public final var status: Int { call?.status ?? 200 }
    /// Whether nothing more can be written.
    public final var isFinished: Bool { call?.isFinished ?? true }

    /// Sets the status, 200 to 599. Throws `ResponseError` when the head is sent.
    public final func setStatus(_ status: Int) throws(ResponseError) { try live.setStatus(status) }

    /// Which codings the response may be sent in, in place of the server's; none for a page that has a secret beside
    /// what the request said (GZ-01). Throws `ResponseError` when the head is sent.
    public final func setCompression(_ codings: Codings) throws(ResponseError) {
        try live.limitCompression(to: codings)
    }

    /// Puts a field in place of all of this name. Throws `ResponseError`: invalid, or the head is sent (WEB-10).
    public final func setHeader(_ name: String, _ value: String) throws(ResponseError) {
        try live.setHeader(name, value)
    }

    /// Adds a field beside those of this name. Throws `ResponseError`.
    public final func addHeader(_ name: String, _ value: String) throws(ResponseError) {
        try live.addHeader(name, value)
    }

    /// Removes the fields of this name. Throws `ResponseError`.
    public final func clearHeader(_ name: String) throws(ResponseError) { try live.clearHeader(name) }

    /// Appends text to the body, which is text/html unless a Content-Type is set (WEB-07, WEB-21).
    /// Throws `ResponseError.finished`.
    public final func write(_ text: String) throws(ResponseError) { try live.write(text.utf8.span) }

    /// Appends bytes to the body. Throws `ResponseError.finished`.
    public final func write(_ bytes: [UInt8]) throws(ResponseError) { try live.write(bytes.span) }

    /// Appends a value as JSON, and sets Content-Type. Throws what the value's encoding throws, `ResponseError`.
    public final func write<T: Encodable>(json value: T) throws {
        try setHeader("Content-Type", "application/json; charset=UTF-8")
        try write(try JSONCoding.encode(value))
    }

    /// Sends what is written so far, and waits until the client has taken most of it (WEB-22).
    /// Throws `ResponseError`, and `CancellationError` when the client leaves meanwhile.
    public final func flush() async throws { try await live.flush() }

    /// Ends the response. It is done by itself when the method's function returns. Throws `ResponseError` (WEB-23).
    public final func finish() throws(ResponseError) {
        let call = try live
        call.setDefaultType("text/html; charset=UTF-8")
        try call.finish()
    }

    /// Writes text and ends the response.
    public final func finish(_ text: String) throws(ResponseError) {
        try write(text)
        try finish()
    }

    /// Writes a value as JSON and ends the response.
    public final func finish<T: Encodable>(json value: T) throws {
        try write(json: value)
        try finish()
    }

    /// Sends the client elsewhere and ends the response: 302, or 301 when permanent, or another status of 3xx
    /// (WEB-20). What may not stand in a URI is percent-encoded; a URL that begins with several slashes is a path of this
    /// site and keeps one. Throws `ResponseError`.
    public final func redirect(_ url: String, permanent: Bool = false, status: Int? = nil) throws(ResponseError) {
        let status = status ?? (permanent ? 301 : 302)
        guard (300...399).contains(status) else { throw .invalidHeader("status \(status) of a redirect") }
        try setStatus(status)
        try setHeader("Location", PercentCoding.location(url))
        try finish()
    }

    /// Waits, on the loop's own timers. Throws `CancellationError` when the client leaves meanwhile.
    public final func sleep(for duration: Duration) async throws { try await Gale.sleep(for: duration) }
}

/// Waits, on the timers of the current loop; elsewhere on the system's. Throws `CancellationError`.
public func sleep(for duration: Duration) async throws {
    _ = try await Worker.wait(for: Wakeup(), atMost: duration)
}
