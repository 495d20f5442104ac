/// Counts what is dropped, for a line of log now and then.
struct Strays {
    private var count = 0
    private var told: ContinuousClock.Instant?

    static let pause = Duration.seconds(60)

    /// One more; gives how many there were since the last line, when it is time for one.
    mutating func add(at now: ContinuousClock.Instant = .now) -> Int? {
        count += 1
        if let told, now - told < Strays.pause { return nil }
        told = now
        defer { count = 0 }
        return count
    }
}
