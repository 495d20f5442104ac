/// Where an entry stands in its log; of two the later is the greater. Redis writes it "MILLISECONDS-NUMBER".
public struct RedisLogPosition: Sendable, Hashable, Comparable {
    /// The time at which Redis took it, since 1970; never less than that of the entry before.
    public let milliseconds: UInt64
    /// Its number in that millisecond.
    public let number: UInt64

    /// Before all entries.
    static let start = RedisLogPosition(milliseconds: 0, number: 0)
    /// Redis' scripts count in floating point, which is exact below it.
    private static let limit: UInt64 = 1 << 53

    private init(milliseconds: UInt64, number: UInt64) {
        self.milliseconds = milliseconds
        self.number = number
    }

    /// The position that Redis wrote; nil when it is none, or none that can be counted with.
    public init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, text.utf8.allSatisfy({ $0 == UInt8(ascii: "-") || (48...57).contains($0) }),
            let milliseconds = UInt64(parts[0]), let number = UInt64(parts[1]),
            milliseconds < Self.limit, number < Self.limit
        else { return nil }
        self.init(milliseconds: milliseconds, number: number)
    }

    /// As Redis writes it.
    public var text: String { "\(milliseconds)-\(number)" }

    public static func < (left: RedisLogPosition, right: RedisLogPosition) -> Bool {
        (left.milliseconds, left.number) < (right.milliseconds, right.number)
    }
}
