/// What a WebSocket of a test receives.
public enum TestMessage: Sendable, Equatable {
    /// A text message.
    case text(String)
    /// A binary message.
    case binary([UInt8])
    /// A message that is compressed (RFC 7692), as it stands in its frame.
    case compressed([UInt8])
    /// A ping.
    case ping([UInt8])
    /// A pong.
    case pong([UInt8])
    /// A close frame; the code is nil when there is none.
    case close(Int?, String)
    /// The connection is over.
    case end
}

/// A WebSocket of a test that looks at frames: what is sent goes out as one each, masked with the same key, and nothing
/// is answered by itself but a close. For what a server must make of broken frames, late pongs and the like; for an
/// application's own tests `TestClient.connect(webSocket:)` has a client that keeps to the protocol.
public final class TestWebSocket {
    private var reader: StreamReader
    private var hasClosed = false
    /// Of the handshake's response.
    public let headers: TestHeaders

    init(_ reader: StreamReader, headers: TestHeaders) {
        self.reader = reader
        self.headers = headers
    }

    /// Sends text.
    public func send(_ text: String) { frame(0x81, Array(text.utf8)) }
    /// Sends bytes.
    public func send(_ bytes: [UInt8]) { frame(0x82, bytes) }
    /// Sends text that is compressed already (RFC 7692 7.2.1).
    public func send(compressed bytes: [UInt8]) { frame(0xc1, bytes) }
    /// Sends a ping.
    public func ping(_ payload: [UInt8] = []) { frame(0x89, payload) }

    /// Begins the closing handshake; without a code the frame is empty.
    public func close(_ code: Int? = 1000, _ reason: String = "") {
        hasClosed = true
        frame(0x88, code.map { [UInt8($0 >> 8), UInt8($0 & 255)] + Array(reason.utf8) } ?? [])
    }

    /// Breaks the connection off.
    public func drop() { reader.stream.close() }

    private func frame(_ first: UInt8, _ payload: [UInt8]) {
        let mask: [UInt8] = [0x37, 0xfa, 0x21, 0x3d]
        var bytes: [UInt8] = [first]
        switch payload.count {
        case ..<126: bytes.append(0x80 | UInt8(payload.count))
        case ..<65536: bytes += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        default:
            bytes.append(0x80 | 127)
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(payload.count >> shift & 255)) }
        }
        bytes += mask
        bytes.reserveCapacity(bytes.count + payload.count)
        for (index, byte) in payload.enumerated() { bytes.append(byte ^ mask[index & 3]) }
        reader.stream.send(bytes)
    }

    /// The next frame, of at most 64 MiB; the server doesn't fragment. Throws `TestError` when it is none.
    public func receive() async throws -> TestMessage {
        if reader.buffer.isEmpty, await !reader.more() { return .end }
        let head = try await reader.take(2)
        if head[1] & 0x80 != 0 { throw TestError("a masked frame") }
        var length = Int(head[1])
        if length >= 126 {
            length = try await reader.take(length == 126 ? 2 : 8).reduce(0) { $0 << 8 | Int($1) }
        }
        guard (0...64 << 20).contains(length) else { throw TestError("a frame of \(length) bytes") }
        let payload = try await reader.take(length)
        switch head[0] {
        case 0x81: return .text(String(decoding: payload, as: UTF8.self))
        case 0x82: return .binary(payload)
        case 0xc1, 0xc2: return .compressed(payload)
        case 0x89: return .ping(payload)
        case 0x8a: return .pong(payload)
        case 0x88:
            if !hasClosed { frame(0x88, Array(payload.prefix(2))) }
            hasClosed = true
            reader.stream.close()
            if payload.count < 2 { return .close(nil, "") }
            return .close(Int(payload[0]) << 8 | Int(payload[1]), String(decoding: payload.dropFirst(2), as: UTF8.self))
        default: throw TestError("a frame that begins with \(head[0])")
        }
    }
}
