#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// The time of day where the machine stands, for log lines.
public struct LocalTime {
    /// "260102 15:04:05"
    public let stamp: String

    /// The time now.
    public static var now: LocalTime {
        var seconds = time(nil)
        var parts = tm()
        localtime_r(&seconds, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let date = two(parts.tm_year % 100) + two(parts.tm_mon + 1) + two(parts.tm_mday)
        return LocalTime(stamp: "\(date) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))")
    }

    /// Seconds since 1970.
    public static var unix: Int { time(nil) }
}
