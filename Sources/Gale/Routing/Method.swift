/// The methods that routes and handlers know by name (WEB-02). Everything else is `other`. Case matters.
@usableFromInline
enum Method: Int, CaseIterable, Sendable {
    case get, head, post, put, patch, delete, options
    /// Any other token.
    case other

    init(_ bytes: Span<UInt8>) {
        // Up to seven letters are one number: a comparison instead of a loop for each name.
        self = .other
        if bytes.count > 7 { return }
        var word: UInt64 = 0
        for index in bytes.indices { word = word << 8 | UInt64(bytes[index]) }
        switch word {
        case 0x47_4554: self = .get
        case 0x4845_4144: self = .head
        case 0x504f_5354: self = .post
        case 0x50_5554: self = .put
        case 0x50_4154_4348: self = .patch
        case 0x4445_4c45_5445: self = .delete
        case 0x4f_5054_494f_4e53: self = .options
        default: break
        }
    }

    /// As on the request line; "" for `other`.
    var name: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .other: ""
        }
    }
}

/// A set of methods, for Allow (WEB-03).
struct MethodSet: Sendable {
    private var bits: UInt16 = 0

    mutating func insert(_ method: Method) { bits |= 1 << UInt16(method.rawValue) }
    mutating func formUnion(_ other: MethodSet) { bits |= other.bits }
    func contains(_ method: Method) -> Bool { bits & 1 << UInt16(method.rawValue) != 0 }
    var isEmpty: Bool { bits == 0 }

    /// "GET, HEAD, POST": HEAD wherever there is GET (WEB-04).
    var allow: String {
        var set = self
        if contains(.get) { set.insert(.head) }
        let named = Method.allCases.filter { $0 != .other && set.contains($0) }
        return named.map(\.name).joined(separator: ", ")
    }
}
