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
    /// Limits of WebSockets, their compression and their keep-alive.
    public var webSockets = WebSocketSettings()
    /// Bytes queued for a client above which a writer waits; default 64 KiB.
    public var writeHighWater: Int?
    /// Bytes queued for a client below which a writer goes on; default 16 KiB.
    public var writeLowWater: Int?
    /// Bytes queued for a client at which it is cut; default 64 MiB.
    public var writeLimit: Int?
    /// How long a stop leaves connections open that have no request, for one that is under way; default not at all.
    public var shutdownIdle: Duration?
    /// Bytes a second that a client must send of a request; default 240, `.max`: no such limit. It may fall behind by
    /// `rateGrace`. Then 408.
    public var minReceiveRate: Int?
    /// Bytes a second that a client must take of what is queued for it; default 240, `.max`: no such limit. It may fall
    /// behind by `rateGrace`. Then it is cut.
    public var minSendRate: Int?
    /// Default 30 s.
    public var rateGrace: Duration?
    /// Requests of one connection, which closes behind the answer to the last; default no limit.
    public var maxRequestsPerConnection: Int?
    /// Age at which a connection takes no more requests; default no limit. WebSockets live on.
    public var maxConnectionAge: Duration?
    /// Bytes of the temporary files of forms, of all clients together; default 10 GiB. Beyond it 503.
    public var maxSpoolBytes: Int?
    /// Open connections over all workers; default the descriptors the process may have, less a sixteenth. Beyond it the
    /// client that has been idle longest gives way, or the new one gets 503.
    public var maxConnections: Int?
    /// Connections of one IPv4 address or IPv6 /64; default no limit. Beyond it they are closed at once.
    public var maxConnectionsPerAddress: Int?
    /// How responses are compressed; nil: they are not (GZ-01).
    public var compression: CompressionSettings?
    /// Which request bodies are decompressed; nil: none, they come as they are (H1-20).
    public var decompression: DecompressionSettings?
    /// Bytes for the state of both, for each worker; default 64 MiB. Beyond it responses go out uncompressed, and
    /// compressed requests get 503.
    public var codingMemory: Int?
    /// Whether a client that shut down its sending side still gets a late answer.
    public var allowsHalfClose = false
    /// Whether responses say "Server: gale".
    public var sendsServerHeader = true
    /// What is forgiven to clients that cannot be mended.
    public var leniencies: Leniencies = []
    /// The proxies whose word is taken for the client's address, scheme and host (H1-23): networks and addresses such
    /// as "10.0.0.0/8", "::1", or "unix" for unix sockets. Name only machines that set or remove the fields of
    /// `forwarded` in all they pass on. Default: nobody's.
    public var trustedProxies: [String] = []
    /// The fields in which they speak.
    public var forwarded = ForwardedFields.xForwarded
    /// Whether X-Forwarded-Host is believed too: common proxies pass a client's own through.
    public var trustsForwardedHost = false

    /// What the protocol forbids and this server may let pass. Each lets a proxy in front and this server read different
    /// requests out of the same bytes, which is how requests are smuggled past the proxy's rules: only for servers that
    /// such clients reach directly.
    public struct Leniencies: OptionSet, Sendable {
        /// Bits of this type alone.
        public let rawValue: UInt8
        /// Of its bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// LF alone ends lines of the head (RFC 9112 2.2): one in front that takes it for a part of a value passes on
        /// fields that it has not seen.
        public static let bareLF = Leniencies(rawValue: 1)
        /// A line that begins with a blank goes on with the value before it (RFC 9112 5.2): one in front may see two
        /// fields, or the end of the head.
        public static let foldedFields = Leniencies(rawValue: 2)
        /// HTTP/1.1 without Host (RFC 9112 3.2): caches and virtual hosts that guess it are poisoned.
        public static let missingHost = Leniencies(rawValue: 4)
        /// Equal values of Content-Length are one (RFC 9110 8.6): whoever repeats it probes for somebody who picks
        /// another.
        public static let repeatedLength = Leniencies(rawValue: 8)
    }

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
        fillSizes(&config)
        fillTimes(&config)
        webSockets.fill(&config)
        compression?.fill(&config)
        decompression?.fill(&config)
        config.allow_half_close = allowsHalfClose ? 1 : 0
        config.no_server_header = sendsServerHeader ? 0 : 1
        config.allow_bare_lf = leniencies.contains(.bareLF) ? 1 : 0
        config.allow_obs_fold = leniencies.contains(.foldedFields) ? 1 : 0
        config.allow_missing_host = leniencies.contains(.missingHost) ? 1 : 0
        config.allow_repeated_length = leniencies.contains(.repeatedLength) ? 1 : 0
        config.forwarded_family = UInt32(forwarded.code)
        config.forwarded_host = trustsForwardedHost ? 1 : 0
    }

    private func fillSizes(_ config: inout gale_config_t) {
        func set<N: FixedWidthInteger>(_ field: WritableKeyPath<gale_config_t, N>, _ value: Int?) {
            // Not 0, which means the default.
            if let value { config[keyPath: field] = N(clamping: max(value, 1)) }
        }
        set(\.workers, workers)
        set(\.backlog, backlog)
        set(\.max_header_bytes, maxHeaderBytes)
        set(\.max_headers, maxHeaders)
        set(\.max_body_bytes, maxBodyBytes)
        set(\.write_high_water, writeHighWater)
        set(\.write_low_water, writeLowWater)
        set(\.write_limit, writeLimit)
        set(\.max_connections, maxConnections)
        set(\.max_connections_per_address, maxConnectionsPerAddress)
        set(\.max_requests_per_connection, maxRequestsPerConnection)
        set(\.min_receive_rate, minReceiveRate)
        set(\.min_send_rate, minSendRate)
        set(\.coding_memory, codingMemory)
        set(\.max_spool_bytes, maxSpoolBytes)
    }

    private func fillTimes(_ config: inout gale_config_t) {
        func set(_ field: WritableKeyPath<gale_config_t, UInt32>, _ value: Duration?) {
            if let value { config[keyPath: field] = UInt32(clamping: max(value.wholeMilliseconds, 1)) }
        }
        set(\.header_timeout_ms, headerTimeout)
        set(\.body_timeout_ms, bodyTimeout)
        set(\.idle_timeout_ms, idleTimeout)
        set(\.write_timeout_ms, writeTimeout)
        set(\.shutdown_grace_ms, shutdownGrace)
        set(\.shutdown_idle_ms, shutdownIdle)
        set(\.rate_grace_ms, rateGrace)
        set(\.max_connection_age_ms, maxConnectionAge)
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
