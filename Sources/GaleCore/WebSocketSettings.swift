internal import CGale

/// Limits of WebSockets, their compression and their keep-alive. Nil: the core's default, which stands in `gale.h`.
public struct WebSocketSettings: Sendable {
    /// How messages are compressed for clients that offer permessage-deflate (RFC 7692, WS-14).
    public enum Compression: Sendable {
        /// Not.
        case none
        /// Each message by itself: an idle socket costs nothing for it.
        case eachMessage
        /// Within the window of the messages before, which makes many small ones far smaller, for memory of each such
        /// socket: 50 KB with 12 `windowBits`.
        case window
    }

    /// Of a message, in bytes; default 10 MiB. Beyond it the socket is closed with 1009 (WS-11).
    public var maxMessageBytes: Int?
    /// How long a close waits for the peer's answer; default 5 s (WS-12).
    public var closeTimeout: Duration?
    /// Needs the package trait `Zlib`, which is on unless turned off.
    public var compression = Compression.none
    /// 1, fast, to 9, small; default 6.
    public var compressionLevel: Int?
    /// Messages that are shorter go as they are; default 64 bytes.
    public var compressionMinimumBytes: Int?
    /// Base-2 logarithm of the window, 9 to 15; default 15, with `.window` 12.
    public var windowBits: Int?
    /// Bytes for windows that are kept, for each worker; default 64 MiB. Beyond it messages are compressed each by
    /// itself.
    public var windowMemory: Int?
    /// A ping goes out every so often; default never (WS-16).
    public var pingInterval: Duration?
    /// A client of which nothing comes so long after a ping is closed; default, and at most, the interval.
    public var pingTimeout: Duration?
    /// Without a message, either way, a socket is closed with 1001; default never.
    public var idleTimeout: Duration?

    /// What becomes of a socket that takes the messages of a topic too slowly; default `.close`.
    public var whenSlow = SlowPolicy.close
    /// Bytes of one topic that may wait for a socket before that; default 1 MiB.
    public var slowLimit: Int?
    /// Topics that one socket may subscribe to; default 1024.
    public var maxTopics: Int?

    /// All defaults.
    public init() {}

    func fill(_ config: inout gale_config_t) {
        func set<N: FixedWidthInteger>(_ field: WritableKeyPath<gale_config_t, N>, _ value: (some BinaryInteger)?) {
            // Not 0, which means the default.
            if let value { config[keyPath: field] = N(clamping: max(value, 1)) }
        }
        switch compression {
        case .none: config.ws_deflate = 0
        case .eachMessage: config.ws_deflate = 1
        case .window: config.ws_deflate = 2
        }
        set(\.ws_max_message_bytes, maxMessageBytes)
        set(\.ws_close_timeout_ms, closeTimeout?.wholeMilliseconds)
        set(\.ws_deflate_level, compressionLevel.map { min($0, 9) })
        set(\.ws_deflate_min_bytes, compressionMinimumBytes)
        set(\.ws_deflate_window_bits, windowBits.map { min(max($0, 9), 15) })
        set(\.ws_deflate_memory, windowMemory)
        set(\.ws_ping_interval_ms, pingInterval?.wholeMilliseconds)
        set(\.ws_ping_timeout_ms, pingTimeout?.wholeMilliseconds)
        config.ws_slow_policy = whenSlow.code
        set(\.ws_slow_limit, slowLimit)
        set(\.ws_max_topics, maxTopics)
        set(\.ws_idle_timeout_ms, idleTimeout?.wholeMilliseconds)
    }
}
