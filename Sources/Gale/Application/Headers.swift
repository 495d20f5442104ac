internal import GaleCore

/// Header fields in order, some perhaps several times (HU-01). A value of any thread.
///
/// Names compare without case and are kept in the usual spelling, `Content-Type`. What cannot stand in a message is
/// refused when it is added, so that the text of it always reads back.
public struct Headers: Sendable {
    private var fields: [(name: String, value: String)] = []

    /// Without fields.
    public init() {}

    /// These fields, in this order. Throws `HeaderError`.
    public init(_ fields: some Sequence<(String, String)>) throws(HeaderError) {
        for (name, value) in fields { try add(name, value) }
    }

    /// The fields of a message's head: lines that end in CRLF or LF. Throws `HeaderError` for a line without colon,
    /// a folded one, or a name or value that may not be (HU-02 to HU-04).
    public init(parsing text: String) throws(HeaderError) {
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            if line.isEmpty { continue }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
                throw HeaderError("no colon in the line '\(AccessLog.printable(String(Substring(line))))'")
            }
            try add(
                String(Substring(line[..<colon])), String(Substring(line[line.index(after: colon)...])).trimmingBlanks)
        }
    }

    init(unchecked fields: [(name: String, value: String)]) { self.fields = fields }

    /// How many fields there are.
    public var count: Int { fields.count }
    /// Whether there are none.
    public var isEmpty: Bool { fields.isEmpty }

    /// The values of this name, joined by commas; nil when there is none.
    public subscript(_ name: String) -> String? {
        let values = all(name)
        return values.isEmpty ? nil : values.joined(separator: ",")
    }

    /// The values of this name, each for itself.
    public func all(_ name: String) -> [String] {
        let wanted = Headers.usual(name)
        return fields.filter { Headers.usual($0.name) == wanted }.map(\.value)
    }

    /// The first value of this name.
    public func first(_ name: String) -> String? {
        let wanted = Headers.usual(name)
        return fields.first { Headers.usual($0.name) == wanted }?.value
    }

    /// Whether there is a field of this name.
    public func contains(_ name: String) -> Bool { first(name) != nil }

    /// Adds a field after those there are, in constant time (HU-05). Throws `HeaderError`.
    public mutating func add(_ name: String, _ value: String) throws(HeaderError) {
        guard !name.isEmpty, name.utf8.allSatisfy(Headers.isTokenByte) else {
            throw HeaderError("invalid name '\(AccessLog.printable(name))'")
        }
        guard value.utf8.allSatisfy({ ($0 >= 0x20 && $0 != 0x7f) || $0 == 9 }) else {
            throw HeaderError("invalid value '\(AccessLog.printable(value))' of \(name)")
        }
        fields.append((Headers.usual(name), value))
    }

    /// Puts a field in the place of the first of this name, and removes the others. Throws `HeaderError`.
    public mutating func set(_ name: String, _ value: String) throws(HeaderError) {
        var made = Headers()
        try made.add(name, value)
        let wanted = Headers.usual(name)
        let place = fields.firstIndex { $0.name == wanted }
        remove(name)
        fields.insert(contentsOf: made.fields, at: place ?? fields.count)
    }

    /// Removes the fields of this name.
    public mutating func remove(_ name: String) {
        let wanted = Headers.usual(name)
        fields.removeAll { Headers.usual($0.name) == wanted }
    }

    /// The usual spelling: letters after a hyphen large, others small.
    private static func usual(_ name: String) -> String {
        var isStart = true
        let bytes = name.utf8.map { byte -> UInt8 in
            let isLetter = (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z")
            defer { isStart = byte == UInt8(ascii: "-") }
            return isLetter ? (isStart ? byte & 0xdf : byte | 0x20) : byte
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// RFC 9110 5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

extension Headers: Sequence {
    /// Name and value of each field, in order.
    public func makeIterator() -> IndexingIterator<[(name: String, value: String)]> { fields.makeIterator() }
}

extension Headers: Equatable {
    /// The same fields in the same order.
    public static func == (left: Headers, right: Headers) -> Bool { left.elementsEqual(right, by: ==) }
}

extension Headers: CustomStringConvertible {
    /// A line for each field, as in a message; `init(parsing:)` reads it back.
    public var description: String { fields.map { "\($0.name): \($0.value)\r\n" }.joined() }
}

/// A header field that cannot be.
public struct HeaderError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One sentence.
    public let description: String

    init(_ description: String) { self.description = description }
}
