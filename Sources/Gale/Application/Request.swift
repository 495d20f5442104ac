public import GaleCore

/// A request, as closures and middleware see it. It is cheap: text is made only of what is asked for.
///
/// Not Sendable: it lives in the task of its request, on one loop. After the client has left, what it names is
/// empty.
public struct Request {
    let call: Call?

    init(_ call: Call?) { self.call = call }

    var liveCall: Call {
        get throws {
            guard let call else { throw ResponseError.clientGone }
            return call
        }
    }

    /// The method, as on the request line.
    public var method: String { call?.withMethod { String(repairing: $0) } ?? "" }
    /// The target, as on the request line: "/a%20b?x=1".
    public var target: String { call?.withTarget { String(repairing: $0) } ?? "" }
    /// The path of the target, not decoded (HU-21).
    public var path: String { call?.withPath { String(repairing: $0) } ?? "" }
    /// What stands after '?', not decoded.
    public var queryString: String { call?.withQuery { String(repairing: $0) } ?? "" }
    /// "HTTP/1.1" or "HTTP/1.0".
    public var version: String { call?.minorVersion == 0 ? "HTTP/1.0" : "HTTP/1.1" }
    /// The client's address; "" over unix sockets. Behind one of the trusted proxies it is the one that proxy names (H1-23).
    public var remoteAddress: String { call?.remoteAddress ?? "" }
    /// The client's port; 0 over unix sockets, when the trusted proxy names none, and once a WebSocket is open.
    public var remotePort: Int { call?.remotePort ?? 0 }
    /// The address of who is connected to the socket, whatever proxies say.
    public var peerAddress: String { call?.peerAddress ?? "" }
    /// "example.org:8080": who the request is for, by Host, the target or a trusted proxy; "" when nobody says.
    public var host: String { call?.host ?? "" }
    /// "http" or "https": as a trusted proxy says, else as the connection is (H1-24).
    public var scheme: String { call?.scheme ?? "http" }
    /// Whether Origin is absent or of the same scheme, host and port (WS-05); false once a WebSocket is open.
    public var isSameOrigin: Bool { call?.isSameOrigin ?? false }
    /// Which of the server's workers has the connection, from 0.
    public var worker: Int { call?.worker.index ?? 0 }
    /// The whole URL: "https://example.org/a%20b?x=1" (HU-20).
    public var fullURL: String { target.utf8.first == UInt8(ascii: "/") ? "\(scheme)://\(host)\(target)" : target }

    /// The first header field of this name.
    public func header(_ name: String) -> String? { call?.header(name) }

    /// Whether it asks for an upgrade to WebSocket.
    public var wantsWebSocket: Bool { call?.wantsWebSocket ?? false }

    /// All header fields in order of arrival.
    public var headers: Headers {
        var headers: [(name: String, value: String)] = []
        call?.forEachHeader { headers.append((String(repairing: $0), String(repairing: $1))) }
        return Headers(unchecked: headers)
    }

    /// Calls `body` with name and value of each field, in order of arrival, without making text of them.
    public func forEachHeader(_ body: (Span<UInt8>, Span<UInt8>) -> Void) { call?.forEachHeader(body) }

    /// The target's bytes, as on the request line, without making text of them.
    public func withTarget<R>(_ body: (Span<UInt8>) throws -> R) rethrows -> R {
        guard let call else { return try body([UInt8]().span) }
        return try call.withTarget(body)
    }

    /// The method's bytes, without making text of them.
    public func withMethod<R>(_ body: (Span<UInt8>) throws -> R) rethrows -> R {
        guard let call else { return try body([UInt8]().span) }
        return try call.withMethod(body)
    }

    /// The collected body, without a copy.
    public func withBody<R>(_ body: (Span<UInt8>) throws -> R) rethrows -> R {
        guard let call else { return try body([UInt8]().span) }
        return try call.withBody(body)
    }

    /// A copy of the collected body.
    public var body: [UInt8] { withBody { [UInt8](copying: $0) } }

    /// A value that the route captured, decoded; nil if the pattern has no such name. Throws 400 when it is no UTF-8.
    public func pathParameter(_ name: String) throws -> String? { try call?.capture(named: name) }

    /// The last field of this name in the query. Throws 400 when the query is malformed (WEB-12).
    public func query(_ name: String) throws -> String? { try call?.arguments(.query).last { $0.name == name }?.value }

    /// The last field of this name in a form. Throws 400 when it is malformed (HU-11).
    public func form(_ name: String) throws -> String? { try call?.arguments(.form).last { $0.name == name }?.value }

    /// A cookie of the request (WEB-14).
    public func cookie(_ name: String) -> String? { call?.cookie(name) }

    /// The response, to look at or change before it is sent.
    public var response: Response { Response(call: call) }

    /// Counters of the server that received this request, for a page of metrics; nil when the client has left.
    public var serverStats: ServerStats? { call?.worker.server.stats }

    /// A value kept with this request, for middleware to leave to handlers.
    public func value<T: Sendable>(_ type: T.Type) -> T? { call?.extrasIfAny?.values[ObjectIdentifier(type)] as? T }

    /// Keeps a value with this request.
    public func setValue<T: Sendable>(_ value: T) { call?.extras.values[ObjectIdentifier(T.self)] = value }
}

/// The response to a request, as middleware and `Reply` types see it.
public struct Response {
    let call: Call?

    private var live: Call {
        get throws(ResponseError) {
            guard let call else { throw .clientGone }
            return call
        }
    }

    /// The status as it is set now.
    public var status: Int { call?.status ?? 200 }
    /// Whether nothing more can be written.
    public var isFinished: Bool { call?.isFinished ?? true }
    /// The body as far as it is written and not yet sent.
    public var body: [UInt8] { call?.output ?? [] }

    /// Sets the status, 200 to 599. Throws `ResponseError` when the head is sent.
    public func setStatus(_ status: Int) throws(ResponseError) { try live.setStatus(status) }
    /// Puts a field in place of all of this name. Throws `ResponseError`.
    public func setHeader(_ name: String, _ value: String) throws(ResponseError) { try live.setHeader(name, value) }
    /// Adds a field beside those of this name. Throws `ResponseError`.
    public func addHeader(_ name: String, _ value: String) throws(ResponseError) { try live.addHeader(name, value) }
    /// Removes the fields of this name. Throws `ResponseError`.
    public func clearHeader(_ name: String) throws(ResponseError) { try live.clearHeader(name) }
    /// Which codings it may be sent in, in place of the server's; none for a page that has a secret beside what the
    /// request said (GZ-01). Throws `ResponseError` when the head is sent.
    public func setCompression(_ codings: Codings) throws(ResponseError) { try live.limitCompression(to: codings) }
    /// The value of a field that has been set.
    public func header(_ name: String) -> String? { call?.fields.value(name) }

    /// Sends a whole response with this Content-Type, unless one has been set. Throws `ResponseError`.
    public func send(_ text: String, type: String) throws(ResponseError) {
        try setTypeIfNone(type)
        try live.send(span: text.utf8.span, type: nil)
    }

    /// Sends a whole response with this Content-Type, unless one has been set. Throws `ResponseError`.
    public func send(_ bytes: [UInt8], type: String) throws(ResponseError) {
        try setTypeIfNone(type)
        try live.send(span: bytes.span, type: nil)
    }

    private func setTypeIfNone(_ type: String) throws(ResponseError) {
        let call = try live
        if !call.fields.contains("Content-Type") { try call.setHeader("Content-Type", type) }
    }
}

/// Something around routes: before, after or instead of what answers.
///
/// It runs in the task of the request. The response can be changed until the outermost middleware has returned.
public protocol Middleware: Sendable {
    /// Calls `next` at most once, or answers itself, or throws.
    func handle(_ request: Request, next: (Request) async throws -> Void) async throws
    /// Why it cannot work, for what was found when it was made: reported when the application starts. Nil by default.
    var mistake: String? { get }
}

extension Middleware {
    /// Nothing is wrong.
    public var mistake: String? { nil }
}
