/// The query of a request, decoded into a type: `(page: Query<Page>)`.
public struct Query<Value: Decodable>: Extractable {
    /// The value.
    public let value: Value

    /// Decodes the query. Throws 400 when a field is missing or has another form.
    public static func extract(from extraction: inout Extraction) throws -> Query<Value> {
        guard let call = extraction.request.call else { throw ResponseError.clientGone }
        return Query(value: try FieldDecoder.decode(Value.self, from: call.arguments(.query)))
    }
}

/// The fields of a form, decoded into a type: `(login: Form<Login>)`.
public struct Form<Value: Decodable>: Extractable {
    /// The value.
    public let value: Value

    /// Decodes the body. Throws 400 when a field is missing or has another form.
    public static func extract(from extraction: inout Extraction) throws -> Form<Value> {
        guard let call = extraction.request.call else { throw ResponseError.clientGone }
        return Form(value: try FieldDecoder.decode(Value.self, from: call.arguments(.form)))
    }
}

extension Query: Sendable where Value: Sendable {}
extension Form: Sendable where Value: Sendable {}

/// Decodes flat types from named texts: the last field of a name, or all of them for an array.
struct FieldDecoder: Decoder {
    let fields: [String: [String]]
    let codingPath: [any CodingKey] = []
    let userInfo: [CodingUserInfoKey: Any] = [:]

    static func decode<T: Decodable>(_ type: T.Type, from fields: [(name: String, value: String)]) throws -> T {
        let grouped = Dictionary(grouping: fields, by: \.name).mapValues { $0.map(\.value) }
        do {
            return try T(from: FieldDecoder(fields: grouped))
        } catch let error as DecodingError {
            throw HTTPError(400, "fields: \(error)")
        }
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(FieldContainer(fields: fields))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw FieldDecoder.unsupported([]) }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { throw FieldDecoder.unsupported([]) }

    static func unsupported(_ path: [any CodingKey]) -> DecodingError {
        .dataCorrupted(.init(codingPath: path, debugDescription: "fields hold texts, numbers and lists of them"))
    }
}

private struct FieldContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let fields: [String: [String]]
    let codingPath: [any CodingKey] = []

    var allKeys: [Key] { fields.keys.compactMap { Key(stringValue: $0) } }
    func contains(_ key: Key) -> Bool { fields[key.stringValue] != nil }
    func decodeNil(forKey key: Key) -> Bool { !contains(key) }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        guard let values = fields[key.stringValue], let last = values.last else {
            throw DecodingError.keyNotFound(key, .init(codingPath: [key], debugDescription: "missing"))
        }
        return try T(from: TextDecoder(values: values, last: last, codingPath: [key]))
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> { throw FieldDecoder.unsupported([key]) }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        throw FieldDecoder.unsupported([key])
    }

    func superDecoder() throws -> any Decoder { throw FieldDecoder.unsupported([]) }
    func superDecoder(forKey key: Key) throws -> any Decoder { throw FieldDecoder.unsupported([key]) }
}

/// The texts of one field.
private struct TextDecoder: Decoder, SingleValueDecodingContainer {
    let values: [String]
    let last: String
    let codingPath: [any CodingKey]
    let userInfo: [CodingUserInfoKey: Any] = [:]

    func singleValueContainer() -> any SingleValueDecodingContainer { self }
    func unkeyedContainer() -> any UnkeyedDecodingContainer { TextList(values: values, codingPath: codingPath) }
    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        throw FieldDecoder.unsupported(codingPath)
    }

    func decodeNil() -> Bool { false }
    func decode(_ type: String.Type) -> String { last }
    func decode(_ type: Bool.Type) throws -> Bool {
        switch last.lowercased() {
        case "true", "1", "on", "yes": return true
        case "false", "0", "off", "no", "": return false
        default: throw mismatch(type)
        }
    }
    func decode(_ type: Double.Type) throws -> Double { try parse(type) { Double($0) } }
    func decode(_ type: Float.Type) throws -> Float { try parse(type) { Float($0) } }
    func decode(_ type: Int.Type) throws -> Int { try integer(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try integer(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try integer(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try integer(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try integer(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try integer(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try integer(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try integer(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try integer(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try integer(type) }
    func decode<T: Decodable>(_ type: T.Type) throws -> T { try T(from: self) }

    /// Digits only: no '+', blank or '_'.
    private func integer<T: FixedWidthInteger>(_ type: T.Type) throws -> T {
        try parse(type) { $0.utf8.first == UInt8(ascii: "+") ? nil : T($0) }
    }

    private func parse<T>(_ type: T.Type, _ body: (String) -> T?) throws -> T {
        guard let value = body(last) else { throw mismatch(type) }
        return value
    }

    private func mismatch(_ type: Any.Type) -> DecodingError {
        .typeMismatch(type, .init(codingPath: codingPath, debugDescription: "'\(last)' is no \(type)"))
    }
}

private struct TextList: UnkeyedDecodingContainer {
    let values: [String]
    let codingPath: [any CodingKey]
    private(set) var currentIndex = 0

    init(values: [String], codingPath: [any CodingKey]) {
        self.values = values
        self.codingPath = codingPath
    }

    var count: Int? { values.count }
    var isAtEnd: Bool { currentIndex >= values.count }

    mutating func decodeNil() -> Bool { false }
    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        guard !isAtEnd else { throw FieldDecoder.unsupported(codingPath) }
        currentIndex += 1
        let text = values[currentIndex - 1]
        return try T(from: TextDecoder(values: [text], last: text, codingPath: codingPath))
    }

    mutating func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        throw FieldDecoder.unsupported(codingPath)
    }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        throw FieldDecoder.unsupported(codingPath)
    }
    mutating func superDecoder() throws -> any Decoder { throw FieldDecoder.unsupported(codingPath) }
}
