/// A message of a WebSocket.
public enum WebSocketMessage: Sendable, Hashable {
    /// Text.
    case text(String)
    /// Bytes.
    case binary([UInt8])

    /// What it says, decoded from JSON. Throws `HTTPError` 400, which closes the socket with 1007 if nobody catches it.
    public func json<T: Decodable>(_ type: T.Type = T.self) throws -> T {
        switch self {
        case .text(let text): try JSONCoding.decode(type, from: Array(text.utf8))
        case .binary(let bytes): try JSONCoding.decode(type, from: bytes)
        }
    }
}

/// The messages of a socket as they come, until it is closed; the peer is held back while none is waited for.
///
/// ```swift
/// override func open() async throws {
///     for try await message in messages { try await send(message.json(Move.self).answer) }
/// }
/// ```
///
/// What a handler takes here does not come to `message`. One reader at a time, in a handler the socket's own task.
public struct WebSocketMessages: AsyncSequence {
    fileprivate enum Source {
        case handler(WebSocketSession?)
        case client(WebSocketClient)
    }
    private let source: Source

    init(_ session: WebSocketSession?) { source = .handler(session) }
    init(_ client: WebSocketClient) { source = .client(client) }

    /// Where the loop stands.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let source: Source

        /// The next message; nil when the socket is closed. Throws `CancellationError`, and `WebSocketClosed` when
        /// somebody else is reading.
        public mutating func next() async throws -> WebSocketMessage? {
            switch source {
            case .handler(let session): try await session?.nextMessage()
            case .client(let client): try await client.nextMessage()
            }
        }
    }

    /// Begins where the last reader ended.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: source) }
}
