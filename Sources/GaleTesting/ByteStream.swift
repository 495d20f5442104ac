internal import GaleCore

/// A client's end of a connection, in memory or over a socket.
protocol ByteStream: Sendable {
    func send(_ bytes: [UInt8])
    /// The next bytes; nil when the server has closed. One caller at a time.
    func receive() async -> [UInt8]?
    func close()
}

extension MemoryConnection: ByteStream {}

/// What goes wrong in a test's client.
public struct TestError: Error, Sendable, CustomStringConvertible {
    /// One sentence.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// Reads a stream piece by piece; what has not been taken yet waits in `buffer`.
struct StreamReader {
    let stream: any ByteStream
    let limit: Duration
    private(set) var buffer: [UInt8] = []
    private(set) var isClosed = false

    init(_ stream: any ByteStream, limit: Duration) {
        self.stream = stream
        self.limit = limit
    }

    /// Takes more bytes in; false when the server has closed. A server that is silent for too long is left.
    mutating func more() async -> Bool {
        let (stream, limit) = (stream, limit)
        let clock = Task {
            try await Task.sleep(for: limit)
            stream.close()
        }
        defer { clock.cancel() }
        guard let bytes = await stream.receive() else {
            isClosed = true
            return false
        }
        buffer += bytes
        return true
    }

    /// Takes exactly so many bytes.
    mutating func take(_ count: Int) async throws -> [UInt8] {
        while buffer.count < count {
            if await !more() { throw TestError("the server closed after \(buffer.count) of \(count) bytes") }
        }
        let bytes = Array(buffer[..<count])
        buffer.removeFirst(count)
        return bytes
    }

    /// Takes up to and without the end mark, which goes too. Nil when the server closed before the first byte.
    mutating func take(until end: [UInt8]) async throws -> [UInt8]? {
        var searched = 0
        while true {
            var index = searched
            while index + end.count <= buffer.count {
                if buffer[index..<(index + end.count)].elementsEqual(end) {
                    let bytes = Array(buffer[..<index])
                    buffer.removeFirst(index + end.count)
                    return bytes
                }
                index += 1
            }
            searched = max(0, buffer.count - end.count + 1)
            if await !more() {
                if buffer.isEmpty { return nil }
                throw TestError("the server closed in the middle of a message")
            }
        }
    }

    /// Takes what comes until the server closes.
    mutating func takeAll() async -> [UInt8] {
        while await more() {}
        defer { buffer = [] }
        return buffer
    }
}
