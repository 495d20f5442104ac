public import GaleCore

/// Something that WebSockets subscribe to and that messages are published to, from any thread.
///
/// ```swift
/// let news = Topic("news")
///
/// final class Reader: WebSocketHandler {
///     override func open() async throws { try subscribe(to: news) }
/// }
/// news.publish("first")        // to all readers, on all workers
/// ```
///
/// Publishing never waits: a message is framed, and compressed, once, and goes out at the end of each loop's turn with
/// all others of that turn. What one thread publishes comes in that order. A reader that is too slow is dealt with by
/// its `SlowPolicy`, and nobody else notices.
public struct Topic: Sendable, Hashable {
    /// What it was named.
    public let name: String
    private let topics: Topics

    /// The topic of this name in the process, whoever names it. 1 to 240 bytes; else subscribing to it throws.
    public init(_ name: String) { self.init(name, of: .shared) }

    init(_ name: String, of topics: Topics) {
        self.name = name
        self.topics = topics
    }

    /// Sends text to all who subscribe.
    public func publish(_ text: String) { topics.publish(.text, text.utf8.span, to: name) }

    /// Sends bytes to all who subscribe.
    public func publish(_ bytes: [UInt8]) { topics.publish(.binary, bytes.span, to: name) }

    private func publish(text bytes: [UInt8]) { topics.publish(.text, bytes.span, to: name) }

    /// Sends a value as JSON text to all who subscribe. Throws what its encoding throws.
    public func publish<T: Encodable>(json value: T) throws {
        publish(text: try JSONCoding.encode(value))
    }

    public static func == (left: Topic, right: Topic) -> Bool {
        left.name == right.name && left.topics === right.topics
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(name) }

    /// Remembers that the socket's server has subscribers.
    func begins(on server: Server) { topics.add(server) }

    /// To those on other servers than the publisher's own.
    func publish(_ kind: MessageKind, _ bytes: Span<UInt8>, except own: Server) {
        topics.publish(kind, bytes, to: name, except: own)
    }

    /// What the core knows it by.
    var coreName: String {
        get throws(TopicError) {
            guard (1...240).contains(name.utf8.count) else {
                throw TopicError("a topic's name has \(name.utf8.count) bytes; 1 to 240 are allowed")
            }
            return topics.prefix + name
        }
    }
}

/// Why a socket cannot subscribe: the topic's name is none, or the socket has too many of them.
public struct TopicError: Error, Sendable, CustomStringConvertible {
    /// One sentence.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// Topics of their own: those of the same names elsewhere are others. Any thread.
public final class Topics: Sendable {
    /// Those that `Topic(_:)` names.
    public static let shared = Topics()

    private struct Place {
        weak var server: Server?
    }
    private static let made = Guarded<UInt32>(0)
    /// Servers that have, or had, subscribers; the others needn't know.
    private let places = Guarded<[Place]>([])
    /// Sets these apart from all others on the same server.
    let prefix: String

    /// None yet.
    public init() {
        let number = Topics.made.withLock { number in
            number &+= 1
            return number
        }
        prefix = String(number, radix: 36) + ":"
    }

    /// The topic of this name.
    public subscript(name: String) -> Topic { Topic(name, of: self) }

    /// The name without what sets topics apart.
    static func name(ofCore name: String) -> String {
        guard let colon = name.utf8.firstIndex(of: UInt8(ascii: ":")) else { return name }
        return String(name[name.utf8.index(after: colon)...])
    }

    func add(_ server: Server) {
        places.withLock { places in
            if places.contains(where: { $0.server === server }) { return }
            places.removeAll { $0.server == nil }
            places.append(Place(server: server))
        }
    }

    func publish(_ kind: MessageKind, _ bytes: Span<UInt8>, to name: String, except own: Server? = nil) {
        let topic = prefix + name
        for place in places.withLock({ $0 }) {
            guard let server = place.server, server !== own else { continue }
            // Without memory for it nobody gets it, which the sender could do nothing about.
            try? server.publish(kind, bytes, to: topic)
        }
    }
}

extension WebSocketHandler {
    /// Gets what is published to the topic from now on, until the socket closes. By default one that is too slow is
    /// closed with 1013 when `limit` bytes of the topic wait for it, 1 MiB. False: it subscribes already. Throws
    /// `WebSocketClosed` and `TopicError`.
    @discardableResult
    public final func subscribe(to topic: Topic, whenSlow: SlowPolicy? = nil, limit: Int? = nil) throws -> Bool {
        try withTopic(topic) { session, name throws(CoreError) in
            topic.begins(on: session.worker.server)
            return try session.subscribe(to: name, whenSlow: whenSlow, limit: limit)
        }
    }

    /// Ends a subscription. False: there was none. Throws `WebSocketClosed` and `TopicError`.
    @discardableResult
    public final func unsubscribe(from topic: Topic) throws -> Bool {
        try withTopic(topic) { session, name throws(CoreError) in try session.unsubscribe(from: name) }
    }

    /// Sends text to all others who subscribe. Throws `WebSocketClosed` and `TopicError`.
    public final func publish(_ text: String, to topic: Topic) throws { try publish(.text, text.utf8.span, topic) }

    /// Sends bytes to all others who subscribe. Throws `WebSocketClosed` and `TopicError`.
    public final func publish(_ bytes: [UInt8], to topic: Topic) throws { try publish(.binary, bytes.span, topic) }

    private func publish(_ kind: MessageKind, _ bytes: Span<UInt8>, _ topic: Topic) throws {
        let session = try live
        let name = try topic.coreName
        do throws(CoreError) {
            try session.publish(kind, bytes, to: name)
        } catch {
            throw WebSocketHandler.publicError(error)
        }
        topic.publish(kind, bytes, except: session.worker.server)
    }

    private func withTopic(
        _ topic: Topic, _ body: (WebSocketSession, String) throws(CoreError) -> Bool
    ) throws -> Bool {
        let session = try live
        let name = try topic.coreName
        do throws(CoreError) {
            return try body(session, name)
        } catch {
            throw WebSocketHandler.publicError(error)
        }
    }

    private static func publicError(_ error: CoreError) -> any Error {
        if error == .gone || error == .state { return WebSocketClosed(error.description) }
        return TopicError(error == .limit ? "the socket subscribes to too many topics" : error.description)
    }
}
