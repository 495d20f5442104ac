internal import CGale

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Header fields in order, in storage of its own that is used again for the next request, as C wants them.
///
/// Names compare without case. What may stand in names and values is checked when they are added, so that no field
/// ever splits a response (WEB-10). Not for several threads at once.
public final class FieldBlock {
    // Storage by hand: arrays would be retained and released at each look. Exclusivity is unchecked: no access
    // lasts longer than its line.
    /// Names and values, one after the other.
    @exclusivity(unchecked) private var bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 256)
    @exclusivity(unchecked) private var used = 0
    /// The fields, from index 1: the first place is for a Content-Type that no field names.
    @exclusivity(unchecked) private var table = UnsafeMutableBufferPointer<gale_header_t>.allocate(capacity: 8)
    /// How many fields there are.
    @exclusivity(unchecked) public private(set) var count = 0
    @exclusivity(unchecked) private var hasContentType = false

    /// One without fields.
    public init() {
        table.initialize(repeating: gale_header_t())
    }

    deinit {
        bytes.deallocate()
        table.deallocate()
    }

    /// Removes all fields and keeps the storage, unless it is large.
    public func removeAll() {
        count = 0
        used = 0
        hasContentType = false
        if bytes.count > 4096 { move(to: 256) }
    }

    /// Adds a field after those there are. Throws `CoreError.header` when the name is no token, or the value holds
    /// a control character other than TAB.
    public func add(_ name: String, _ value: String) throws(CoreError) {
        let (name, value) = (name.utf8.span, value.utf8.span)
        // What most responses have is known at a glance.
        let isContentType = Self.isContentType(name)
        if !(isContentType || Self.isToken(name)) || !Self.isValue(value) { throw CoreError.header }
        let need = used + name.count + value.count
        if need > bytes.count { move(to: max(need, bytes.count * 2)) }
        if count + 1 == table.count { growTable() }
        count += 1
        table[count] = gale_header_t(name: put(name), value: put(value))
        if isContentType || (name.count == 12 && matches(count, "Content-Type")) { hasContentType = true }
    }

    /// Puts the field in place of all of this name. Throws as `add`.
    public func set(_ name: String, _ value: String) throws(CoreError) {
        try add(name, value)
        if count == 1 { return }
        let last = count
        var kept = 0
        for index in 1..<last where !matches(index, name) {
            kept += 1
            if kept != index { table[kept] = table[index] }
        }
        if kept + 1 != last { table[kept + 1] = table[last] }
        count = kept + 1
    }

    /// Removes all fields of this name.
    public func remove(_ name: String) {
        var kept = 0
        for index in 0..<count where !matches(index + 1, name) {
            kept += 1
            table[kept] = table[index + 1]
        }
        count = kept
        hasContentType = contains("Content-Type")
    }

    /// Whether there is a field of this name.
    public func contains(_ name: String) -> Bool {
        for index in 0..<count where matches(index + 1, name) { return true }
        return false
    }

    /// The first value of this name.
    public func value(_ name: String) -> String? {
        for index in 0..<count where matches(index + 1, name) {
            return String(decoding: table[index + 1].value.buffer, as: UTF8.self)
        }
        return nil
    }

    /// All fields, as text.
    public var pairs: [(name: String, value: String)] {
        table[1..<(count + 1)].map {
            (String(decoding: $0.name.buffer, as: UTF8.self), String(decoding: $0.value.buffer, as: UTF8.self))
        }
    }

    private func matches(_ index: Int, _ name: String) -> Bool {
        let (field, name) = (table[index].name.buffer, name.utf8.span)
        if field.count != name.count { return false }
        for index in name.indices where field[index] != name[index] {
            if lowercased(field[index]) != lowercased(name[index]) { return false }
        }
        return true
    }

    /// Whether it is the name as it is mostly written.
    private static func isContentType(_ name: Span<UInt8>) -> Bool {
        if name.count != contentTypeName.utf8CodeUnitCount { return false }
        return name.withUnsafeBufferPointer { name in
            guard let start = name.baseAddress else { return false }
            return memcmp(start, contentTypeName.utf8Start, name.count) == 0
        }
    }

    private static func isToken(_ name: Span<UInt8>) -> Bool {
        for index in name.indices where !isTokenByte(name[index]) { return false }
        return !name.isEmpty
    }

    /// Eight bytes at a time.
    private static func isValue(_ value: Span<UInt8>) -> Bool {
        value.withUnsafeBytes { value in
            var index = 0
            while index + 8 <= value.count {
                let word = value.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                let (low, high): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
                let isControl = (word &- low &* 0x20) & ~word & high
                let delete = word ^ (low &* 0x7f)
                let isDelete = (delete &- low) & ~delete & high
                // TAB, or something wrong: looked at one by one.
                if isControl | isDelete != 0 {
                    for byte in value[index..<(index + 8)] where !isValueByte(byte) { return false }
                }
                index += 8
            }
            for byte in value[index...] where !isValueByte(byte) { return false }
            return true
        }
    }

    /// Letters, digits and the marks of a token (RFC 9110 5.6.2), a bit for each byte below 128.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        let word: UInt64 = byte < 64 ? 0x03ff_6cfa_0000_0000 : 0x57ff_ffff_c7ff_fffe
        return byte < 128 && word >> UInt64(byte & 63) & 1 == 1
    }

    private static func isValueByte(_ byte: UInt8) -> Bool { (byte >= 0x20 && byte != 0x7f) || byte == 0x09 }

    // MARK: Storage

    /// Appends bytes for which there is room.
    private func put(_ span: Span<UInt8>) -> gale_str_t {
        let place = UnsafeMutableBufferPointer(rebasing: bytes[used..<(used + span.count)])
        span.withUnsafeBufferPointer { source in
            if let from = source.baseAddress { place.baseAddress?.update(from: from, count: source.count) }
        }
        used += span.count
        return gale_str_t(UnsafeBufferPointer(place))
    }

    /// Gives the bytes other storage, and the fields their new addresses.
    private func move(to capacity: Int) {
        let old = bytes
        bytes = .allocate(capacity: capacity)
        used = 0
        for index in 0..<count {
            let field = table[index + 1]
            let (name, value) = (Span(_unsafeElements: field.name.buffer), Span(_unsafeElements: field.value.buffer))
            table[index + 1] = gale_header_t(name: put(name), value: put(value))
        }
        old.deallocate()
    }

    private func growTable() {
        let larger = UnsafeMutableBufferPointer<gale_header_t>.allocate(capacity: table.count * 2)
        larger.initialize(repeating: gale_header_t())
        for index in table.indices { larger[index] = table[index] }
        table.deallocate()
        table = larger
    }

    /// Gives the fields as C wants them, and `type` as Content-Type if no field names one.
    func withHeaders<R>(
        type: StaticString?, _ body: (UnsafePointer<gale_header_t>?, Int) throws(CoreError) -> R
    ) throws(CoreError) -> R {
        guard let type, !hasContentType else { return try body(table.baseAddress.map { UnsafePointer($0 + 1) }, count) }
        table[0] = header(contentTypeName, type)
        return try body(UnsafePointer(table.baseAddress), count + 1)
    }
}

let contentTypeName: StaticString = "Content-Type"

func lowercased(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
}

func header(_ name: StaticString, _ value: StaticString) -> gale_header_t {
    gale_header_t(name: text(name), value: text(value))
}

func text(_ text: StaticString) -> gale_str_t {
    UnsafeRawPointer(text.utf8Start).withMemoryRebound(to: CChar.self, capacity: text.utf8CodeUnitCount) {
        gale_str_t(ptr: $0, len: text.utf8CodeUnitCount)
    }
}

extension gale_str_t {
    var buffer: UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: UnsafeRawPointer(ptr)?.assumingMemoryBound(to: UInt8.self), count: len)
    }

    init(_ buffer: UnsafeBufferPointer<UInt8>) {
        self.init(ptr: UnsafeRawPointer(buffer.baseAddress)?.assumingMemoryBound(to: CChar.self), len: buffer.count)
    }
}
