/// Something a route's closure can take as a parameter.
public protocol Extractable: SendableMetatype {
    /// Takes the value from the request. Throws what the request is answered with, usually an `HTTPError`.
    static func extract(from extraction: inout Extraction) throws -> Self
}

/// The parameters of a closure while they are taken, in order.
public struct Extraction {
    /// The request.
    public let request: Request
    private var next = 0

    /// Begins with the first value of the path.
    public init(_ request: Request) { self.request = request }

    /// The next captured value of the path, decoded. Throws 500 when the pattern has no more.
    public mutating func nextPathValue() throws -> String {
        guard let call = request.call else { throw ResponseError.clientGone }
        guard next < call.captures.count else {
            throw HTTPError(500, "the closure takes more path values than the pattern has")
        }
        next += 1
        return try call.capture(next - 1)
    }
}

/// A value of the path: `{id}` becomes the closure's `(id: Int)`.
public protocol PathValue: Extractable {
    /// Nil when the text is no such value; the request is then answered with 404.
    init?(pathText: String)
}

extension PathValue {
    /// The next value of the path. Throws 404 when it is of another form.
    public static func extract(from extraction: inout Extraction) throws -> Self {
        let text = try extraction.nextPathValue()
        guard let value = Self(pathText: text) else { throw HTTPError(404) }
        return value
    }
}

extension String: PathValue {
    /// The text itself.
    public init?(pathText: String) { self = pathText }
}

extension Int: PathValue {
    /// Digits only, with '-' before them for negative numbers: no blanks, '+' or '_'.
    public init?(pathText: String) {
        let digits = pathText.utf8.first == UInt8(ascii: "-") ? pathText.utf8.dropFirst() : pathText.utf8[...]
        guard !digits.isEmpty, digits.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }),
            let value = Int(pathText)
        else { return nil }
        self = value
    }
}

extension Request: Extractable {
    /// The request itself.
    public static func extract(from extraction: inout Extraction) throws -> Request { extraction.request }
}
