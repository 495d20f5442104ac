internal import GaleCore

/// A command on its way: its bytes in Redis' protocol, and who gets the answer. Loop thread, once it is made.
final class Command: Sendable {
    let bytes: [UInt8]
    private let done: @Sendable (Result<RedisValue, RedisError>) -> Void
    private let isUnwanted: @Sendable () -> Bool

    /// The most bytes of one command: what Redis takes by default.
    static let maxBytes = 512 << 20

    /// One that `done` is called for, once, on the loop. Throws `.limit`.
    init(
        _ words: [[UInt8]], isUnwanted: @escaping @Sendable () -> Bool = { false },
        _ done: @escaping @Sendable (Result<RedisValue, RedisError>) -> Void
    ) throws(RedisError) {
        bytes = try Command.encode(words)
        self.isUnwanted = isUnwanted
        self.done = done
    }

    /// One that a task waits for.
    convenience init(_ words: [[UInt8]], answer: Answer<RedisValue>) throws(RedisError) {
        try self.init(words, isUnwanted: { answer.isFinished }, { answer.finish($0.mapError { $0 }) })
    }

    /// Whether the task that waits was cancelled.
    var isCancelled: Bool { isUnwanted() }

    func finish(_ value: RedisValue) {
        if case .error(let text) = value { done(.failure(.server(text))) } else { done(.success(value)) }
    }

    func fail(_ error: RedisError) { done(.failure(error)) }

    /// An array of strings: "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n".
    static func encode(_ words: [[UInt8]]) throws(RedisError) -> [UInt8] {
        guard !words.isEmpty else { throw .limit("a command has at least one word") }
        let size = words.reduce(0) { $0 + $1.count }
        guard size <= maxBytes, words.count <= 1 << 20 else {
            throw .limit("a command has at most \(maxBytes) bytes and \(1 << 20) words")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size + 16 * words.count + 16)
        bytes += "*\(words.count)\r\n".utf8
        for word in words {
            bytes += "$\(word.count)\r\n".utf8
            bytes += word
            bytes += [13, 10]
        }
        return bytes
    }
}

extension Command {
    /// The words of a command that is written here.
    static func words(_ words: String...) -> [[UInt8]] { words.map { Array($0.utf8) } }
}
