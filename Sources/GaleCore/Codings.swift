internal import CGale

/// Content codings of bodies (RFC 9110 8.4.1).
public struct Codings: OptionSet, Sendable {
    /// The core's bits.
    public let rawValue: UInt32

    /// Of the core's bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// RFC 1952.
    public static let gzip = Codings(rawValue: UInt32(GALE_CODING_GZIP))
    /// RFC 1950, the zlib format.
    public static let deflate = Codings(rawValue: UInt32(GALE_CODING_DEFLATE))
    /// RFC 7932.
    public static let brotli = Codings(rawValue: UInt32(GALE_CODING_BR))
    /// RFC 8878.
    public static let zstd = Codings(rawValue: UInt32(GALE_CODING_ZSTD))
    /// All of them. Those that were not built in are passed over.
    public static let all = Codings(rawValue: UInt32(GALE_CODING_ALL))

    /// Those this build has: gzip and deflate by the package trait `Zlib`, which is on unless turned off, the others by
    /// `Brotli` and `Zstd`.
    public static var builtIn: Codings { Codings(rawValue: gale_codings()) }
}

/// How responses are compressed (GZ-01, GZ-02, GZ-03). Nil: the core's default, which stands in `gale.h`.
///
/// A response is compressed when its client prefers that, its Content-Type is one that gets smaller, and it is long
/// enough; a strong ETag is made weak, and Vary names Accept-Encoding. Whoever can read the lengths of compressed pages
/// and put text into them can guess what else stands there (BREACH): `Response.setCompression` leaves out pages that
/// have a secret beside what the request said.
public struct CompressionSettings: Sendable {
    /// The codings a client may choose from.
    public var codings = Codings.all
    /// 1, fast, to 9, small; default 6.
    public var level: Int?
    /// Bodies that are shorter stay as they are; default 1024.
    public var minimumBytes: Int?

    /// All defaults.
    public init() {}

    func fill(_ config: inout gale_config_t) {
        config.compress = codings.rawValue
        if let level { config.compress_level = UInt32(min(max(level, 1), 9)) }
        if let minimumBytes { config.compress_min_bytes = UInt32(clamping: max(minimumBytes, 1)) }
    }
}

/// Which request bodies are decompressed before anybody sees them (H1-20). Nil: the core's default.
///
/// A body in another coding is refused with 415, a broken one with 400. What comes out is bounded as every body is.
public struct DecompressionSettings: Sendable {
    /// The codings that are understood.
    public var codings = Codings.all
    /// How many times as long as what came in it may get, looked at beyond 64 KiB; default 100. Beyond it 413.
    public var maxRatio: Int?

    /// All defaults.
    public init() {}

    func fill(_ config: inout gale_config_t) {
        config.decompress = codings.rawValue
        if let maxRatio { config.decompress_ratio = UInt32(clamping: max(maxRatio, 1)) }
    }
}
