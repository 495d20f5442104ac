internal import CGale

/// Header fields in order, as bytes in one buffer that is used again for the next request.
///
/// Names compare without case. What may stand in names and values is checked when they are added, so that no field
/// ever splits a response (WEB-10).
public struct FieldBlock {
    private var bytes: [UInt8] = []
    private var fields: [Field] = []
    private var hasContentType = false

    private struct Field {
        var name: Range<Int>
        var value: Range<Int>
    }

    /// One without fields.
    public init() {}

    /// How many fields there are.
    public var count: Int { fields.count }

    /// Removes all fields and keeps the storage.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: bytes.count <= 4096)
        fields.removeAll(keepingCapacity: true)
        hasContentType = false
    }

    /// Adds a field after those there are. Throws `CoreError.header` when the name is no token, or the value holds
    /// a control character other than TAB.
    public mutating func add(_ name: String, _ value: String) throws(CoreError) {
        let start = bytes.count
        bytes.append(copying: name.utf8.span)
        let middle = bytes.count
        bytes.append(copying: value.utf8.span)
        let isValid = bytes.withUnsafeBufferPointer { bytes in
            for index in start..<middle where !Self.isTokenByte(bytes[index]) { return false }
            for index in middle..<bytes.count where !Self.isValueByte(bytes[index]) { return false }
            return start < middle
        }
        if !isValid {
            bytes.removeSubrange(start...)
            throw CoreError.header
        }
        let field = Field(name: start..<middle, value: middle..<bytes.count)
        if !hasContentType && field.name.count == 12 { hasContentType = matches(field, "Content-Type") }
        fields.append(field)
    }

    /// Puts the field in place of all of this name. Throws as `add`.
    public mutating func set(_ name: String, _ value: String) throws(CoreError) {
        if fields.isEmpty { return try add(name, value) }
        try add(name, value)
        guard contains(name, before: fields.count - 1) else { return }
        let last = fields.removeLast()
        remove(name)
        fields.append(last)
        hasContentType = contains("Content-Type")
    }

    /// Removes all fields of this name.
    public mutating func remove(_ name: String) {
        for index in fields.indices.reversed() where matches(fields[index], name) { fields.remove(at: index) }
        hasContentType = contains("Content-Type")
    }

    /// Whether there is a field of this name.
    public func contains(_ name: String) -> Bool { contains(name, before: fields.count) }

    private func contains(_ name: String, before end: Int) -> Bool {
        for index in 0..<end where matches(fields[index], name) { return true }
        return false
    }

    /// The first value of this name.
    public func value(_ name: String) -> String? {
        guard let field = fields.first(where: { matches($0, name) }) else { return nil }
        return String(decoding: bytes[field.value], as: UTF8.self)
    }

    /// All fields, as text.
    public var pairs: [(name: String, value: String)] {
        fields.map {
            (String(decoding: bytes[$0.name], as: UTF8.self), String(decoding: bytes[$0.value], as: UTF8.self))
        }
    }

    private func matches(_ field: Field, _ name: String) -> Bool {
        guard field.name.count == name.utf8.count else { return false }
        let name = name.utf8.span
        let start = field.name.lowerBound
        return bytes.withUnsafeBufferPointer { bytes in
            for index in name.indices where bytes[start + index] != name[index] {
                if lowercased(bytes[start + index]) != lowercased(name[index]) { return false }
            }
            return true
        }
    }

    /// Letters, digits and the marks of a token (RFC 9110 5.6.2), a bit for each byte below 128.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        let word: UInt64 = byte < 64 ? 0x03ff_6cfa_0000_0000 : 0x57ff_ffff_c7ff_fffe
        return byte < 128 && word >> UInt64(byte & 63) & 1 == 1
    }

    private static func isValueByte(_ byte: UInt8) -> Bool { (byte >= 0x20 && byte != 0x7f) || byte == 0x09 }

    /// Gives the fields as C wants them, and `type` as Content-Type if no field names one.
    func withHeaders<R>(
        type: StaticString?, _ body: (UnsafePointer<gale_header_t>?, Int) throws(CoreError) -> R
    ) throws(CoreError) -> R {
        let extra = type != nil && !hasContentType
        if fields.isEmpty && !extra { return try body(nil, 0) }
        // Typed throws don't pass through the standard library's closures: the result is carried out.
        let result: Result<R, CoreError> = bytes.withUnsafeBufferPointer { bytes in
            withUnsafeTemporaryAllocation(of: gale_header_t.self, capacity: fields.count + 1) { table in
                var count = 0
                if extra, let type {
                    table.initializeElement(at: 0, to: header(contentTypeName, type))
                    count = 1
                }
                for field in fields {
                    let element = gale_header_t(name: slice(bytes, field.name), value: slice(bytes, field.value))
                    table.initializeElement(at: count, to: element)
                    count += 1
                }
                do throws(CoreError) {
                    return .success(try body(UnsafePointer(table.baseAddress), count))
                } catch {
                    return .failure(error)
                }
            }
        }
        return try result.get()
    }
}

let contentTypeName: StaticString = "Content-Type"

func lowercased(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
}

func slice(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> gale_str_t {
    guard let base = bytes.baseAddress else { return gale_str_t(ptr: nil, len: 0) }
    return (base + range.lowerBound).withMemoryRebound(to: CChar.self, capacity: range.count) {
        gale_str_t(ptr: $0, len: range.count)
    }
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
