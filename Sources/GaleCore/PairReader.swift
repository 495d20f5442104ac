internal import CGale

/// Names with values as requests carry them, taken apart and decoded by the core.
public enum PairReader {
    /// More fields than the core reads at once.
    public struct TooMany: Error {}

    private typealias Next = (
        gale_str_t, UnsafeMutablePointer<Int>, UnsafeMutablePointer<CChar>, Int, UnsafeMutablePointer<gale_str_t>,
        UnsafeMutablePointer<gale_str_t>
    ) -> Int32

    /// Calls `body` with name and value of each field of a query or an urlencoded body, decoded: '&' alone separates,
    /// '+' is a blank, a field without '=' has an empty value (HU-13). Throws `TooMany` at once beyond 1000.
    public static func query(_ text: Span<UInt8>, _ body: (Span<UInt8>, Span<UInt8>) throws -> Void) throws {
        try read(text, by: gale_query_next, body)
    }

    /// Calls `body` with name and value of each cookie of a Cookie field, without quotes and their escapes; what has no
    /// '=' is a value without a name (HU-30).
    public static func cookies(_ text: Span<UInt8>, _ body: (Span<UInt8>, Span<UInt8>) -> Void) {
        // There is no limit of cookies but the head's own size.
        try? read(text, by: gale_cookie_next, body)
    }

    private static func read(
        _ text: Span<UInt8>, by next: Next, _ body: (Span<UInt8>, Span<UInt8>) throws -> Void
    ) throws {
        if text.isEmpty { return }
        try text.withUnsafeBufferPointer { text in
            try withUnsafeTemporaryAllocation(of: CChar.self, capacity: text.count) { room in
                guard let start = room.baseAddress else { return }
                var position = 0
                var name = gale_str_t()
                var value = gale_str_t()
                while true {
                    let result = next(gale_str_t(text), &position, start, room.count, &name, &value)
                    // The room is as long as the text: the only error is the number of fields.
                    if result < 0 { throw TooMany() }
                    if result == 0 { return }
                    try body(Span(_unsafeElements: name.buffer), Span(_unsafeElements: value.buffer))
                }
            }
        }
    }
}
