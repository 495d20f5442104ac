#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// Header fields in order; names compare without case.
public struct TestHeaders: Sendable {
    /// All of them, as they came.
    public let fields: [(name: String, value: String)]

    /// The first field of this name.
    public subscript(_ name: String) -> String? { all(name).first }

    /// All fields of this name.
    public func all(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }
}

/// What the server answered.
public struct TestResponse: Sendable {
    /// The status code.
    public let status: Int
    /// The text after the status code.
    public let reason: String
    /// The header fields.
    public let headers: TestHeaders
    /// The whole body.
    public let body: [UInt8]
    /// From the request's first byte to the response's last.
    public let duration: Duration

    /// The body as text.
    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The body, decoded from JSON. Throws `DecodingError`.
    public func json<T: Decodable>(_ type: T.Type = T.self) throws -> T {
        try JSONDecoder().decode(type, from: Data(body))
    }
}

/// Reads responses off a stream, strictly.
struct ResponseReader {
    var reader: StreamReader
    /// Whether the connection can carry another request.
    private(set) var isReusable = true

    init(_ stream: any ByteStream, limit: Duration) { reader = StreamReader(stream, limit: limit) }

    struct Head {
        let status: Int
        let reason: String
        let headers: TestHeaders
    }

    /// The next head that isn't 1xx (but 101). Nil when the server closed before it.
    mutating func head() async throws -> Head? {
        while let bytes = try await reader.take(until: Array("\r\n\r\n".utf8)) {
            let lines = String(decoding: bytes, as: UTF8.self).split(
                separator: "\r\n", omittingEmptySubsequences: false
            ).map(String.init)
            let parts = lines[0].split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, parts[0] == "HTTP/1.1", let status = Int(parts[1]) else {
                throw TestError("not a status line: \(lines[0])")
            }
            var fields: [(name: String, value: String)] = []
            for line in lines.dropFirst() {
                guard let colon = line.firstIndex(of: ":") else { throw TestError("not a header field: \(line)") }
                let value = line[line.index(after: colon)...].drop { $0 == " " }
                fields.append((String(line[..<colon]), String(value)))
            }
            if status >= 200 || status == 101 {
                return Head(status: status, reason: String(parts[2]), headers: TestHeaders(fields: fields))
            }
        }
        return nil
    }

    /// The body that belongs to a head.
    mutating func body(of head: Head, method: String) async throws -> [UInt8] {
        if head.headers["Connection"]?.lowercased() == "close" { isReusable = false }
        if method == "HEAD" || head.status == 204 || head.status == 304 { return [] }
        if let text = head.headers["Content-Length"] {
            guard let length = Int(text) else { throw TestError("Content-Length: \(text)") }
            return try await reader.take(length)
        }
        if head.headers["Transfer-Encoding"] == "chunked" { return try await chunked() }
        isReusable = false
        return await reader.takeAll()
    }

    private mutating func chunked() async throws -> [UInt8] {
        let lineEnd = Array("\r\n".utf8)
        var body: [UInt8] = []
        while true {
            guard let line = try await reader.take(until: lineEnd),
                let size = Int(String(decoding: line, as: UTF8.self), radix: 16)
            else { throw TestError("not a chunk size") }
            if size == 0 { break }
            body += try await reader.take(size)
            guard try await reader.take(2) == lineEnd else { throw TestError("a chunk without its end") }
        }
        while let line = try await reader.take(until: lineEnd), !line.isEmpty {}
        return body
    }
}
