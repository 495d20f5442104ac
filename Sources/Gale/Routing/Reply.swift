/// What a route's closure can return.
public protocol Reply: SendableMetatype {
    /// Answers the request. Throws `ResponseError`.
    func reply(to request: Request) throws
}

extension String: Reply {
    /// As text/plain.
    public func reply(to request: Request) throws {
        try request.liveCall.send(span: utf8.span, type: "text/plain; charset=utf-8")
    }
}

extension Array: Reply where Element == UInt8 {
    /// As application/octet-stream, unless a Content-Type has been set.
    public func reply(to request: Request) throws {
        try request.liveCall.send(span: span, type: "application/octet-stream")
    }
}

/// HTML text as a response.
public struct HTML: Reply, Sendable {
    /// The page.
    public let text: String
    /// A page.
    public init(_ text: String) { self.text = text }
    /// As text/html.
    public func reply(to request: Request) throws {
        try request.liveCall.send(span: text.utf8.span, type: "text/html; charset=UTF-8")
    }
}

/// A response without a body.
public struct Status: Reply, Sendable {
    /// The status code.
    public let code: Int
    /// A status code.
    public init(_ code: Int) { self.code = code }
    /// Answers with the status alone.
    public func reply(to request: Request) throws {
        let call = try request.liveCall
        try call.setStatus(code)
        try call.send(span: [UInt8]().span, type: nil)
    }
}

/// Sends the client elsewhere (WEB-20). A location that begins with several slashes is a path of this site.
public struct Redirect: Reply, Sendable {
    /// Where to.
    public let location: String
    /// 302 unless another was given.
    public let status: Int
    /// To `location`, with 302, or 301 when permanent.
    public init(_ location: String, permanent: Bool = false) {
        self.location = location
        status = permanent ? 301 : 302
    }
    /// Answers with Location.
    public func reply(to request: Request) throws {
        let call = try request.liveCall
        try call.setStatus(status)
        try call.setHeader("Location", PercentCoding.location(location))
        try call.send(span: [UInt8]().span, type: nil)
    }
}

/// Returned by closures without a result: 204 unless they have answered themselves.
public struct NoContent: Reply, Sendable {
    /// Nothing.
    public init() {}
    /// Answers with 204 when the response is not finished yet.
    public func reply(to request: Request) throws {
        let call = try request.liveCall
        if call.isFinished { return }
        try call.setStatus(204)
        try call.send(span: [UInt8]().span, type: nil)
    }
}

extension Optional: Reply where Wrapped: Reply {
    /// Nil: 404.
    public func reply(to request: Request) throws {
        guard let value = self else { throw HTTPError(404) }
        try value.reply(to: request)
    }
}
