internal import CGale

/// A copy of a request's head, for WebSockets, whose requests end with the handshake.
final class HeadSnapshot {
    private let bytes: UnsafeMutableBufferPointer<UInt8>
    private(set) var method = 0..<0
    private(set) var target = 0..<0
    private(set) var path = 0..<0
    private(set) var query = 0..<0
    private var fields: [(name: Range<Int>, value: Range<Int>)] = []
    let remote: String
    let peer: String
    let host: String
    let scheme: String

    init(_ request: OpaquePointer, remote: String, peer: String, host: String, scheme: String) {
        self.remote = remote
        self.peer = peer
        self.host = host
        self.scheme = scheme
        var headers: UnsafePointer<gale_header_t>?
        let count = gale_req_headers(request, &headers)
        let table = UnsafeBufferPointer(start: headers, count: count)
        let line = [
            gale_req_method(request), gale_req_target(request), gale_req_path(request), gale_req_query(request),
        ]
        let size = line.reduce(0) { $0 + $1.len } + table.reduce(0) { $0 + $1.name.len + $1.value.len }
        bytes = .allocate(capacity: size)
        var used = 0
        func copy(_ text: gale_str_t, into bytes: UnsafeMutableBufferPointer<UInt8>) -> Range<Int> {
            let start = used
            for byte in text.buffer {
                bytes.initializeElement(at: used, to: byte)
                used += 1
            }
            return start..<used
        }
        method = copy(line[0], into: bytes)
        target = copy(line[1], into: bytes)
        path = copy(line[2], into: bytes)
        query = copy(line[3], into: bytes)
        fields.reserveCapacity(count)
        for header in table { fields.append((copy(header.name, into: bytes), copy(header.value, into: bytes))) }
    }

    deinit { bytes.deallocate() }

    func slice(_ part: KeyPath<HeadSnapshot, Range<Int>>) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: bytes[self[keyPath: part]])
    }

    func header(_ name: String) -> String? {
        for field in fields where field.name.count == name.utf8.count {
            let same = zip(bytes[field.name], name.utf8).allSatisfy { lowercased($0) == lowercased($1) }
            if same { return String(decoding: bytes[field.value], as: UTF8.self) }
        }
        return nil
    }

    func forEachHeader(_ body: (Span<UInt8>, Span<UInt8>) -> Void) {
        for field in fields {
            body(
                Span(_unsafeElements: UnsafeBufferPointer(rebasing: bytes[field.name])),
                Span(_unsafeElements: UnsafeBufferPointer(rebasing: bytes[field.value])))
        }
    }
}
