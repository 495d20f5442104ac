internal import CGale

/// Limits, timeouts and workers of a server. Nil: the core's default, which stands in `gale.h`.
public struct ServerConfiguration: Sendable {
    /// Loops, each on its thread; default one a CPU.
    public var workers: Int?
    /// Connections that may wait to be accepted; default 1024.
    public var backlog: Int?
    /// Request line and header fields together, in bytes; default 16 KiB. Beyond it 414 or 431.
    public var maxHeaderBytes: Int?
    /// Header fields of a request; default 100. Beyond it 431.
    public var maxHeaders: Int?
    /// Of a request body, in bytes; default 1 MiB. Beyond it 413.
    public var maxBodyBytes: Int?
    /// From the first byte of a request to the end of its head; default 10 s.
    public var headerTimeout: Duration?
    /// Without a byte of the body; default 30 s.
    public var bodyTimeout: Duration?
    /// Between requests; default 60 s.
    public var idleTimeout: Duration?
    /// While the client takes no byte; default 30 s.
    public var writeTimeout: Duration?
    /// How long a stop waits for open requests; default 10 s.
    public var shutdownGrace: Duration?
    /// Of a WebSocket message, in bytes; default 10 MiB.
    public var maxMessageBytes: Int?
    /// Bytes queued for a client above which a writer waits; default 64 KiB.
    public var writeHighWater: Int?
    /// Open connections over all workers; default the descriptors the process may have, less a sixteenth. Beyond it the
    /// client that has been idle longest gives way, or the new one gets 503.
    public var maxConnections: Int?
    /// Connections of one IPv4 address or IPv6 /64; default no limit. Beyond it they are closed at once.
    public var maxConnectionsPerAddress: Int?
    /// The proxies whose word is taken for the client's address, scheme and host (H1-23): networks and addresses such
    /// as "10.0.0.0/8", "::1", or "unix" for unix sockets. Name only machines that set or remove the fields of
    /// `forwarded` in all they pass on. Default: nobody's.
    public var trustedProxies: [String] = []
    /// The fields in which they speak.
    public var forwarded = ForwardedFields.xForwarded
    /// Whether X-Forwarded-Host is believed too: common proxies pass a client's own through.
    public var trustsForwardedHost = false

    /// The families of fields; only one is ever believed.
    public enum ForwardedFields: Sendable {
        /// X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host.
        case xForwarded
        /// Forwarded (RFC 7239).
        case standard
        /// X-Real-Ip, X-Scheme.
        case xRealIP
    }

    /// All defaults.
    public init() {}

    /// Calls `body` with the core's form of it, which ends when that returns.
    func withCore<R>(_ body: (inout gale_config_t) -> R) -> R {
        var config = gale_config()
        fill(&config)
        return trustedProxies.joined(separator: ",").withCString { proxies in
            config.trusted_proxies = proxies
            return body(&config)
        }
    }

    /// Why the core refused it.
    func mistake(_ code: Int32) -> String {
        if trustedProxies.isEmpty { return "" }
        let list = trustedProxies.joined(separator: ", ")
        return "cannot use the settings (\(String(cString: gale_strerror(code)))): trusted proxies are \(list)"
    }

    private func fill(_ config: inout gale_config_t) {
        func set(_ field: WritableKeyPath<gale_config_t, UInt32>, _ value: Int?) {
            if let value { config[keyPath: field] = UInt32(clamping: value) }
        }
        func set(_ field: WritableKeyPath<gale_config_t, UInt32>, _ value: Duration?) {
            if let value { config[keyPath: field] = UInt32(clamping: value.wholeMilliseconds) }
        }
        set(\.workers, workers)
        set(\.backlog, backlog)
        set(\.max_header_bytes, maxHeaderBytes)
        set(\.max_headers, maxHeaders)
        set(\.header_timeout_ms, headerTimeout)
        set(\.body_timeout_ms, bodyTimeout)
        set(\.idle_timeout_ms, idleTimeout)
        set(\.write_timeout_ms, writeTimeout)
        set(\.shutdown_grace_ms, shutdownGrace)
        set(\.write_high_water, writeHighWater)
        set(\.max_connections, maxConnections)
        set(\.max_connections_per_address, maxConnectionsPerAddress)
        if let maxBodyBytes { config.max_body_bytes = UInt64(clamping: maxBodyBytes) }
        if let maxMessageBytes { config.ws_max_message_bytes = UInt64(clamping: maxMessageBytes) }
        config.forwarded_family = UInt32(forwarded.code)
        config.forwarded_host = trustsForwardedHost ? 1 : 0
    }
}

extension ServerConfiguration.ForwardedFields {
    fileprivate var code: Int {
        switch self {
        case .xForwarded: Int(GALE_FORWARDED_X)
        case .standard: Int(GALE_FORWARDED_RFC7239)
        case .xRealIP: Int(GALE_FORWARDED_X_REAL_IP)
        }
    }
}
