#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// The one place that uses Foundation.
enum JSONCoding {
    static func encode<T: Encodable>(_ value: T) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }

    static func decode<T: Decodable>(_ type: T.Type, from bytes: [UInt8]) throws -> T {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw HTTPError(400, "invalid JSON: \(error)")
        }
    }
}

/// A JSON body of a request, or a value to answer with as JSON.
public struct JSON<Value> {
    /// The value.
    public var value: Value
    /// A value to answer with.
    public init(_ value: Value) { self.value = value }
}

extension JSON: Sendable where Value: Sendable {}

extension JSON: Extractable where Value: Decodable {
    /// Decodes the body. Throws 400 when it is no such JSON.
    public static func extract(from extraction: inout Extraction) throws -> JSON<Value> {
        JSON(try JSONCoding.decode(Value.self, from: extraction.request.body))
    }
}

extension JSON: Reply where Value: Encodable {
    /// As application/json.
    public func reply(to request: Request) throws {
        let bytes = try JSONCoding.encode(value)
        try request.liveCall.send(span: bytes.span, type: "application/json; charset=UTF-8")
    }
}

extension RequestHandler {
    /// The body, decoded from JSON. Throws 400 when it is no such JSON.
    public final func json<T: Decodable>(_ type: T.Type = T.self) throws -> T {
        try JSONCoding.decode(type, from: request.body)
    }
}
