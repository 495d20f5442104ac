/// Why something asked of Redis didn't happen. A value of any thread.
public enum RedisError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The URL names no Redis that can be reached. One sentence.
    case url(String)
    /// There is no connection, and none came within the time a command may wait. Nothing was sent.
    case away(String)
    /// The connection ended before the answer came: whether the command was carried out is not known.
    case lost(String)
    /// Redis answered with this error, such as "WRONGTYPE Operation against a key ...".
    case server(String)
    /// Too much waits already, or what was given is too large. Nothing was sent.
    case limit(String)
    /// The answer is none that this command can have.
    case answer(String)
    /// The log is not open, or was closed meanwhile.
    case closed

    public var description: String {
        switch self {
        case .url(let text), .limit(let text): text
        case .away(let text): "Redis is not there: \(text)"
        case .lost(let text): "the connection to Redis was lost: \(text)"
        case .server(let text): "Redis: \(text)"
        case .answer(let text): "an answer of Redis that cannot be: \(text)"
        case .closed: "the log is closed"
        }
    }

    /// Whether Redis has no memory: that passes when somebody sees to it.
    var isOutOfMemory: Bool {
        guard case .server(let text) = self else { return false }
        return text == "OOM" || text.hasPrefix("OOM ")
    }

    /// Whether an error of Redis passes by itself: it is starting, became a replica, or runs a long script.
    var isPassing: Bool {
        guard case .server(let text) = self else { return false }
        let passing = ["LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "NOAUTH", "NOREPLICAS"]
        // A script of a Redis before 7 puts words before it.
        return passing.contains { text == $0 || text.hasPrefix($0 + " ") || text.contains(": -\($0) ") }
    }
}
