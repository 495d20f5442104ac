internal import CGale

/// Token buckets, one a key, in fixed memory. Any thread, several at a time.
public final class RateLimiter: @unchecked Sendable {
    // @unchecked: the C object may be used on any thread (gale.h); the pointer never changes.
    private let pointer: OpaquePointer

    /// One that gives each key `tokens` in each period. Throws `CoreError` for figures that make no sense.
    public init(tokens: Int, period: Duration, burst: Int?, maxKeys: Int?) throws(CoreError) {
        var config = gale_limiter_config_t()
        config.struct_size = MemoryLayout<gale_limiter_config_t>.size
        config.tokens = UInt32(clamping: tokens)
        config.period_ms = UInt32(clamping: period.wholeMilliseconds)
        config.burst = UInt32(clamping: burst ?? 0)
        config.max_keys = UInt32(clamping: maxKeys ?? 0)
        var made: OpaquePointer?
        try check(gale_limiter_new(&made, &config))
        guard let made else { throw CoreError.limit }
        pointer = made
    }

    deinit { gale_limiter_free(pointer) }

    /// Takes a token of the key's bucket: nil; or the time until there is one. Constant time.
    public func take(_ key: Span<UInt8>) -> Duration? {
        let wait = key.withUnsafeBufferPointer { gale_limiter_take(pointer, gale_str_t($0), 1, 0) }
        return wait == 0 ? nil : .milliseconds(max(wait, 1))
    }
}
