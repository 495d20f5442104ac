/// The last entries of a log that this process has delivered. It decides what is new.
struct LogWindow: Sendable {
    let keeping: Int
    /// In order.
    private(set) var entries: [RedisLogEntry] = []
    /// The latest position that was met.
    private(set) var seen = RedisLogPosition.start
    private var positions: Set<RedisLogPosition> = []
    private var keys: [ByteString: RedisLogPosition] = [:]

    init(keeping: Int) { self.keeping = keeping }

    /// The entry under a key, if it is kept.
    func entry(under key: String) -> RedisLogEntry? {
        guard let position = keys[ByteString(key)] else { return nil }
        return entries[index(of: position)]
    }

    func contains(_ position: RedisLogPosition) -> Bool { positions.contains(position) }

    /// Takes an entry in; true when it is new, and is to be delivered.
    ///
    /// It is new unless its position or its key is among those that are kept, or it stands before all of them in a full
    /// window: then it was delivered before, or has left the history. Its place doesn't matter: one that was put back
    /// late is delivered late.
    mutating func take(_ entry: RedisLogEntry) -> Bool {
        let before = seen
        seen = max(seen, entry.position)
        if positions.contains(entry.position) { return false }
        if let old = keys[ByteString(entry.key)] {
            // Appended again because Redis had lost it: there it stands under its later position.
            if old < entry.position { move(old, to: entry) }
            return false
        }
        if entries.count >= keeping, let first = entries.first, entry.position < first.position { return false }
        if before < entry.position {
            entries.append(entry)
        } else {
            entries.insert(entry, at: index(of: entry.position))
        }
        positions.insert(entry.position)
        keys[ByteString(entry.key)] = entry.position
        trim()
        return true
    }

    /// A position was met that is no entry of ours.
    mutating func pass(_ position: RedisLogPosition) { seen = max(seen, position) }

    private mutating func move(_ old: RedisLogPosition, to entry: RedisLogEntry) {
        entries.remove(at: index(of: old))
        positions.remove(old)
        entries.insert(entry, at: index(of: entry.position))
        positions.insert(entry.position)
        keys[ByteString(entry.key)] = entry.position
    }

    private mutating func trim() {
        while entries.count > keeping {
            let first = entries.removeFirst()
            positions.remove(first.position)
            let key = ByteString(first.key)
            if keys[key] == first.position { keys[key] = nil }
        }
    }

    /// Of the first entry that isn't before the position.
    private func index(of position: RedisLogPosition) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].position < position { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
