/// Ends a request with an error status (WEB-29).
///
/// Thrown from any handler. 4xx are logged as warnings, 5xx as errors; the message goes to the log, never to the
/// client.
public struct HTTPError: Error, Sendable {
    /// The status to answer with.
    public let status: Int
    /// For the log.
    public let message: String?
    /// Header fields for the response, such as `("Allow", "GET")`.
    public let headers: [(name: String, value: String)]

    /// An error with a status, a line for the log and fields for the response.
    public init(_ status: Int, _ message: String? = nil, headers: [(name: String, value: String)] = []) {
        self.status = status
        self.message = message
        self.headers = headers
    }
}

/// Ends a request without an error: what has been written so far is the response (WEB-29).
public struct Finish: Error, Sendable {
    /// Made to be thrown.
    public init() {}
}

/// What calls on a response throw when they come too late or cannot be sent.
public enum ResponseError: Error, Sendable, Equatable {
    /// The response is finished already.
    case finished
    /// The head has been sent: status and fields stand.
    case headSent
    /// The client has left.
    case clientGone
    /// An invalid status, header name or header value (WEB-10).
    case invalidHeader(String)
    /// The core refused it; its sentence.
    case refused(String)
}

/// The standard reason phrases (RFC 9110 15).
func reasonPhrase(_ status: Int) -> String {
    reasonPhrases[status] ?? "Unknown"
}

private let reasonPhrases: [Int: String] = [
    100: "Continue", 101: "Switching Protocols", 103: "Early Hints",
    200: "OK", 201: "Created", 202: "Accepted", 203: "Non-Authoritative Information", 204: "No Content",
    205: "Reset Content", 206: "Partial Content", 207: "Multi-Status",
    300: "Multiple Choices", 301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified",
    307: "Temporary Redirect", 308: "Permanent Redirect",
    400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required",
    408: "Request Timeout", 409: "Conflict", 410: "Gone", 411: "Length Required", 412: "Precondition Failed",
    413: "Content Too Large", 414: "URI Too Long", 415: "Unsupported Media Type", 416: "Range Not Satisfiable",
    417: "Expectation Failed", 418: "I'm a teapot", 421: "Misdirected Request", 422: "Unprocessable Content",
    423: "Locked", 424: "Failed Dependency", 425: "Too Early", 426: "Upgrade Required",
    428: "Precondition Required", 429: "Too Many Requests", 431: "Request Header Fields Too Large",
    451: "Unavailable For Legal Reasons",
    500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Gateway Timeout", 505: "HTTP Version Not Supported", 507: "Insufficient Storage",
    511: "Network Authentication Required",
]
