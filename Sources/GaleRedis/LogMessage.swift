/// What a log's channel carries: "a PREVIOUS ID LENGTH KEY+TEXT".
struct LogMessage: Sendable {
    /// "a": appended after `previous`; "i": put back in its place among those that are there.
    let isAppended: Bool
    /// The id of the entry before it in the stream; "0-0" for the first.
    let previous: RedisLogPosition
    let entry: RedisLogEntry

    /// Nil when it isn't one.
    init?(_ bytes: [UInt8]) {
        // The four words before the key and the text are short.
        let words = bytes.prefix(128).split(separator: 32, maxSplits: 4, omittingEmptySubsequences: false)
        guard words.count == 5, let kind = words[0].first, words[0].count == 1,
            kind == UInt8(ascii: "a") || kind == UInt8(ascii: "i"),
            let previous = RedisLogPosition(String(decoding: words[1], as: UTF8.self)),
            let id = RedisLogPosition(String(decoding: words[2], as: UTF8.self)),
            let length = Int(String(decoding: words[3], as: UTF8.self)), length >= 0,
            length <= bytes.count - words[4].startIndex
        else { return nil }
        let rest = bytes[words[4].startIndex...]
        isAppended = kind == UInt8(ascii: "a")
        self.previous = previous
        entry = RedisLogEntry(
            text: String(decoding: rest.dropFirst(length), as: UTF8.self),
            key: String(decoding: rest.prefix(length), as: UTF8.self), position: id)
    }

    var bytes: Int { entry.text.utf8.count + entry.key.utf8.count }
}

/// An entry as XRANGE gives it.
struct LogItem: Sendable {
    let position: RedisLogPosition
    /// Nil when somebody else has put it there, without a text.
    let entry: RedisLogEntry?

    /// Nil when it is none.
    init?(_ value: RedisValue) {
        guard let parts = value.array, parts.count == 2, let id = parts[0].text,
            let position = RedisLogPosition(id), let fields = parts[1].array
        else { return nil }
        var text: String?
        var key = "id:" + id
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            switch fields[index].text {
            case "t": text = fields[index + 1].text
            case "k": key = fields[index + 1].text ?? key
            default: break
            }
        }
        self.position = position
        entry = text.map { RedisLogEntry(text: $0, key: key, position: position) }
    }
}
