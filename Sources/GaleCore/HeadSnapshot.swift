internal import CGale

/// A copy of a request's head, for WebSockets, whose requests end with the handshake. Immutable.
///
/// There is one for each idle socket, so it is packed: one allocation, in which each text has its length before it, and
/// names of fields that every handshake has are a number.
public struct HeadSnapshot {
    private let storage: ManagedBuffer<Layout, UInt8>

    private struct Layout {
        let size, fieldsAt: UInt32
        let flags: Flags
    }

    private var layout: Layout { storage.header }
    private var flags: Flags { storage.header.flags }
    /// For as long as the storage lives.
    private var packed: UnsafePointer<UInt8> { storage.withUnsafeMutablePointerToElements { UnsafePointer($0) } }

    private struct Flags: OptionSet {
        let rawValue: UInt8
        /// The path is the target up to '?'.
        static let plainTarget = Flags(rawValue: 1)
        /// Who is connected is the client.
        static let peerIsRemote = Flags(rawValue: 2)
        /// Host is the field's.
        static let hostIsField = Flags(rawValue: 4)
        static let https = Flags(rawValue: 8)
    }

    /// The texts in front of the fields, in their order.
    enum Part: Int {
        case method, target, path, query, remote, peer, host
    }

    /// What is said of a request beside its head.
    struct Client {
        let remote, peer, host, scheme: String
    }

    init(_ request: OpaquePointer, _ client: Client) {
        let target = gale_req_target(request).buffer
        let hostField = gale_req_header(request, gale_str_t(HeadName.host)).buffer
        var flags: Flags = []
        if target.first == UInt8(ascii: "/") { flags.insert(.plainTarget) }
        if client.peer == client.remote { flags.insert(.peerIsRemote) }
        if client.host.utf8.elementsEqual(hostField) { flags.insert(.hostIsField) }
        if client.scheme == "https" { flags.insert(.https) }
        let isPlain = flags.contains(.plainTarget)
        let none = UnsafeBufferPointer<UInt8>(start: nil, count: 0)

        var packer = Packer()
        packer.add(gale_req_method(request).buffer)
        packer.add(target)
        packer.add(isPlain ? none : gale_req_path(request).buffer)
        packer.add(isPlain ? none : gale_req_query(request).buffer)
        packer.add(client.remote.utf8)
        packer.add(flags.contains(.peerIsRemote) ? "".utf8 : client.peer.utf8)
        packer.add(flags.contains(.hostIsField) ? "".utf8 : client.host.utf8)
        let fieldsAt = packer.bytes.count
        var fields: UnsafePointer<gale_header_t>?
        let count = gale_req_headers(request, &fields)
        for field in UnsafeBufferPointer(start: fields, count: count) {
            packer.add(name: field.name.buffer)
            packer.add(field.value.buffer)
        }
        let layout = Layout(size: UInt32(packer.bytes.count), fieldsAt: UInt32(fieldsAt), flags: flags)
        storage = .create(minimumCapacity: packer.bytes.count) { _ in layout }
        storage.withUnsafeMutablePointerToElements { $0.initialize(from: packer.bytes, count: packer.bytes.count) }
    }

    func slice(_ part: Part) -> UnsafeBufferPointer<UInt8> {
        let isPlain = flags.contains(.plainTarget)
        switch part {
        case .path where isPlain:
            let target = stored(.target)
            return .init(rebasing: target.prefix { $0 != UInt8(ascii: "?") })
        case .query where isPlain:
            return .init(rebasing: stored(.target).drop { $0 != UInt8(ascii: "?") }.dropFirst())
        case .peer where flags.contains(.peerIsRemote):
            return stored(.remote)
        case .host where flags.contains(.hostIsField):
            return value(HeadName.host) ?? stored(.host)
        default:
            return stored(part)
        }
    }

    private func stored(_ part: Part) -> UnsafeBufferPointer<UInt8> {
        var reader = Reader(packed, at: 0, size: Int(layout.size))
        for _ in 0..<part.rawValue { _ = reader.text() }
        return reader.text()
    }

    func text(_ part: Part) -> String { String(decoding: slice(part), as: UTF8.self) }

    var scheme: String { flags.contains(.https) ? "https" : "http" }

    func header(_ name: String) -> String? {
        var name = name
        return name.withUTF8 { name in value(name).map { String(decoding: $0, as: UTF8.self) } }
    }

    private var fields: Reader { Reader(packed, at: Int(layout.fieldsAt), size: Int(layout.size)) }

    private func value(_ name: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8>? {
        var reader = fields
        while !reader.isAtEnd {
            let (found, value) = (reader.name(), reader.text())
            if found.count == name.count && zip(found, name).allSatisfy({ lowercased($0) == lowercased($1) }) {
                return value
            }
        }
        return nil
    }

    func forEachHeader(_ body: (Span<UInt8>, Span<UInt8>) -> Void) {
        var reader = fields
        while !reader.isAtEnd {
            let (name, value) = (reader.name(), reader.text())
            body(Span(_unsafeElements: name), Span(_unsafeElements: value))
        }
    }
}

/// Names that are packed as one byte when they are spelt like this.
private enum HeadName {
    private static let known: [StaticString] = [
        "Host", "Connection", "Upgrade", "Sec-WebSocket-Version", "Sec-WebSocket-Key", "Sec-WebSocket-Extensions",
        "Sec-WebSocket-Protocol", "Origin", "User-Agent", "Cookie", "Pragma", "Cache-Control", "Accept-Encoding",
        "Accept-Language", "Accept", "Authorization", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "X-Real-Ip",
        "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "DNT",
    ]
    static var host: UnsafeBufferPointer<UInt8> { bytes(0) }

    static func bytes(_ index: Int) -> UnsafeBufferPointer<UInt8> {
        guard known.indices.contains(index) else { return UnsafeBufferPointer(start: nil, count: 0) }
        return UnsafeBufferPointer(start: known[index].utf8Start, count: known[index].utf8CodeUnitCount)
    }

    static func index(of name: UnsafeBufferPointer<UInt8>) -> Int? {
        known.indices.first { known[$0].utf8CodeUnitCount == name.count && bytes($0).elementsEqual(name) }
    }
}

/// Lengths are in base 128, the last digit below 128. A length of 0 where a name begins is followed by the number of a
/// known one: no field has an empty name.
private struct Packer {
    var bytes: [UInt8] = []

    mutating func add(_ text: some Collection<UInt8>) {
        var length = text.count
        while length > 127 {
            bytes.append(UInt8(length & 127 | 128))
            length >>= 7
        }
        bytes.append(UInt8(length))
        bytes.append(contentsOf: text)
    }

    mutating func add(name: UnsafeBufferPointer<UInt8>) {
        guard let index = HeadName.index(of: name) else { return add(name) }
        bytes += [0, UInt8(index)]
    }
}

private struct Reader {
    private let packed: UnsafePointer<UInt8>
    private var at: Int
    private let size: Int

    init(_ packed: UnsafePointer<UInt8>, at: Int, size: Int) {
        self.packed = packed
        self.at = at
        self.size = size
    }

    var isAtEnd: Bool { at >= size }

    private mutating func byte() -> Int {
        defer { at += 1 }
        return Int(packed[at])
    }

    mutating func text() -> UnsafeBufferPointer<UInt8> {
        var length = 0
        var shift = 0
        while true {
            let digit = byte()
            length |= (digit & 127) << shift
            if digit < 128 { break }
            shift += 7
        }
        defer { at += length }
        return UnsafeBufferPointer(start: packed + at, count: length)
    }

    mutating func name() -> UnsafeBufferPointer<UInt8> {
        let name = text()
        return name.isEmpty ? HeadName.bytes(byte()) : name
    }
}
