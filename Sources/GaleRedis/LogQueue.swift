internal import GaleCore

/// An entry on its way into a log.
final class WaitingEntry: Sendable {
    let text: String
    let key: String
    let answer = Answer<RedisLogEntry>()

    init(_ text: String, key: String) {
        self.text = text
        self.key = key
    }

    var bytes: Int { text.utf8.count + key.utf8.count }
}

/// What waits to be appended to one log, in order, bounded.
struct LogQueue: Sendable {
    private let maxCount: Int
    private let maxBytes: Int
    private var entries: [WaitingEntry] = []
    private var bytes = 0
    private(set) var isOpen = false
    /// Its server has stopped, and no other has started.
    var isStopped = false

    init(maxCount: Int, maxBytes: Int) {
        self.maxCount = maxCount
        self.maxBytes = maxBytes
    }

    var count: Int { entries.count }

    /// False: it was open.
    mutating func open() -> Bool {
        defer { isOpen = true }
        return !isOpen
    }

    /// Takes all out.
    mutating func close() -> [WaitingEntry] {
        isOpen = false
        return takeAll()
    }

    mutating func takeAll() -> [WaitingEntry] {
        defer { (entries, bytes) = ([], 0) }
        return entries
    }

    /// Puts one at the end, or says why not. (An error thrown through `withLock` crashes the compiler, Swift 6.3.)
    mutating func add(_ entry: WaitingEntry) -> RedisError? {
        if !isOpen { return .closed }
        if isStopped { return .away("the server has stopped") }
        guard entries.count < maxCount, bytes + entry.bytes <= maxBytes else {
            return .limit("too many entries wait until Redis is there")
        }
        entries.append(entry)
        bytes += entry.bytes
        return nil
    }

    /// The oldest, for one call of Redis. They stay until `remove`.
    func batch(count: Int, bytes: Int) -> [WaitingEntry] {
        var batch: [WaitingEntry] = []
        var size = 0
        for entry in entries.prefix(count) {
            size += entry.bytes
            if size > bytes && !batch.isEmpty { break }
            batch.append(entry)
        }
        return batch
    }

    /// Takes out those that are answered, or that nobody waits for any more.
    mutating func removeFinished() {
        entries.removeAll { entry in
            if entry.answer.isFinished { bytes -= entry.bytes }
            return entry.answer.isFinished
        }
    }
}
