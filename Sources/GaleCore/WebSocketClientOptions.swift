internal import CGale

/// How a WebSocket is opened as a client. Nil: the core's default, which stands in `gale.h`; in a handler the limits of
/// its server's `Settings.server.webSockets`.
public struct WebSocketClientOptions: Sendable {
    /// Subprotocols that are offered, the ones liked best first.
    public var subprotocols: [String] = []
    /// The Origin to name, "https://example.com"; programs have none.
    public var origin: String?
    /// More fields of the request. `Authorization`, `Cookie` and `Host` are not sent to another server that a redirect
    /// leads to.
    public var headers: [(name: String, value: String)] = []
    /// From looking up the name until the socket is open; default 20 s.
    public var connectTimeout: Duration?
    /// Redirects that are followed, to the same scheme; default none.
    public var maxRedirects = 0
    /// Of the head of the server's answer; default 16 KiB.
    public var maxHeaderBytes: Int?
    /// Compression that is offered (permessage-deflate). Needs the package trait `Zlib`, which is on unless turned off.
    public var compression = WebSocketSettings.Compression.none
    /// Base-2 logarithm of both windows, 9 to 15; default 15, with `.window` 12.
    public var windowBits: Int?
    /// Messages that are shorter go as they are; default 64 bytes.
    public var compressionMinimumBytes: Int?
    /// Of a message that comes, in bytes; default 10 MiB. Beyond it the socket is closed with 1009.
    public var maxMessageBytes: Int?
    /// How long a close waits for the server's answer; default 5 s.
    public var closeTimeout: Duration?
    /// A ping goes out every so often; default never.
    public var pingInterval: Duration?
    /// A server of which nothing comes so long after a ping is left; default, and at most, the interval.
    public var pingTimeout: Duration?
    /// Without a message, either way, the socket is closed with 1001; default never.
    public var idleTimeout: Duration?

    /// All defaults.
    public init() {}

    /// Calls `body` with them as C wants them. Throws `CoreError.header` for a field that cannot be sent.
    func withCore<R>(_ body: (inout gale_ws_connect_options_t) -> R) throws(CoreError) -> R {
        let fields = FieldBlock()
        for (name, value) in headers { try fields.add(name, value) }
        return try fields.withHeaders(type: nil) { (headers, count) throws(CoreError) in
            withSlices(of: subprotocols + [origin ?? ""]) { texts in
                var core = numbers
                core.headers = headers
                core.header_count = count
                core.subprotocols = texts.baseAddress
                core.subprotocol_count = texts.count - 1
                core.origin = texts[texts.count - 1]
                return body(&core)
            }
        }
    }

    private var numbers: gale_ws_connect_options_t {
        func milliseconds(_ duration: Duration?) -> UInt32 {
            // Not 0, which means the default.
            duration.map { UInt32(clamping: max($0.wholeMilliseconds, 1)) } ?? 0
        }
        var core = gale_ws_connect_options()
        switch compression {
        case .none: core.deflate = 0
        case .eachMessage: core.deflate = 1
        case .window: core.deflate = 2
        }
        core.deflate_window_bits = UInt32(windowBits.map { min(max($0, 9), 15) } ?? 0)
        core.deflate_min_bytes = UInt32(clamping: compressionMinimumBytes.map { max($0, 1) } ?? 0)
        core.max_redirects = UInt32(clamping: maxRedirects)
        core.max_header_bytes = UInt32(maxHeaderBytes.map { min(max($0, 256), 1 << 20) } ?? 0)
        core.max_message_bytes = UInt64(maxMessageBytes.map { max($0, 1) } ?? 0)
        core.connect_timeout_ms = milliseconds(connectTimeout)
        core.close_timeout_ms = milliseconds(closeTimeout)
        core.ping_interval_ms = milliseconds(pingInterval)
        core.ping_timeout_ms = milliseconds(pingTimeout)
        core.idle_timeout_ms = milliseconds(idleTimeout)
        return core
    }
}

/// Calls `body` with slices of C for these texts, in their order.
private func withSlices<R>(of texts: [String], _ body: (UnsafeBufferPointer<gale_str_t>) -> R) -> R {
    let bytes = texts.flatMap(\.utf8)
    return bytes.withUnsafeBufferPointer { bytes in
        var slices: [gale_str_t] = []
        var start = 0
        for text in texts {
            let count = text.utf8.count
            slices.append(gale_str_t(UnsafeBufferPointer(rebasing: bytes[start..<(start + count)])))
            start += count
        }
        return slices.withUnsafeBufferPointer(body)
    }
}
