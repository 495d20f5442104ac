internal import GaleCore

/// Middleware that lets each client through so often, and answers others with 429 and Retry-After (RFC 6585 4).
///
/// A client is an address, of IPv6 its first 64 bits; or what `key` makes of a request, such as a user's name. Memory is
/// fixed: beyond `maxKeys` those that have used least are forgotten first.
///
/// ```swift
/// Group("/login", with: [RateLimit(10, per: .seconds(60))]) { ... }
/// ```
public struct RateLimit: Middleware {
    private let limiter: RateLimiter?
    /// Set when the figures make no sense.
    public let mistake: String?
    private let key: @Sendable (Request) -> String

    /// `requests` in each period for each key; `burst` of them may come at once after a pause, by default all.
    public init(
        _ requests: Int, per period: Duration = .seconds(1), burst: Int? = nil, maxKeys: Int = 65536,
        by key: @escaping @Sendable (Request) -> String = { RateLimit.client($0) }
    ) {
        let isUsable = requests > 0 && period >= .milliseconds(1) && burst ?? 1 > 0 && maxKeys > 0
        limiter =
            isUsable ? try? RateLimiter(tokens: requests, period: period, burst: burst, maxKeys: maxKeys) : nil
        mistake = limiter == nil ? "a rate limit of \(requests) requests per \(period) cannot be" : nil
        self.key = key
    }

    /// Answers 429, or calls `next`.
    public func handle(_ request: Request, next: (Request) async throws -> Void) async throws {
        guard let limiter else { throw HTTPError(500, mistake) }
        if let wait = limiter.take(key(request).utf8.span) {
            let (seconds, rest) = wait.components
            throw HTTPError(429, headers: [("Retry-After", "\(seconds + (rest > 0 ? 1 : 0))")])
        }
        try await next(request)
    }

    /// The client's address, of IPv6 the network of its first 64 bits.
    public static func client(_ request: Request) -> String {
        let address = request.remoteAddress
        guard address.contains(":") else { return address }
        // "::" stands for as many zeros as there are groups missing of eight.
        let halves = address.split(separator: "::", maxSplits: 1, omittingEmptySubsequences: false)
        let head = halves[0].split(separator: ":")
        let tail = halves.count < 2 ? [] : halves[1].split(separator: ":")
        let groups = head + Array(repeating: "0", count: max(0, 8 - head.count - tail.count)) + tail
        return groups.prefix(4).joined(separator: ":")
    }
}
