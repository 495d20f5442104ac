/// Hexadecimal digits, lower case.
enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var out: [UInt8] = []
        for byte in bytes {
            out.append(digits[Int(byte >> 4)])
            out.append(digits[Int(byte & 15)])
        }
        return String(decoding: out, as: UTF8.self)
    }

    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let text = Array(text.utf8)
        guard text.count.isMultiple(of: 2) else { return nil }
        var out: [UInt8] = []
        for index in stride(from: 0, to: text.count, by: 2) {
            guard let high = PercentCoding.digit(text[index]), let low = PercentCoding.digit(text[index + 1]) else {
                return nil
            }
            out.append(high << 4 | low)
        }
        return out
    }
}

/// Base64 with padding (RFC 4648 4).
public enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Appends the encoded bytes.
    public static func encode(_ bytes: Span<UInt8>, into out: inout [UInt8]) {
        var index = 0
        while index < bytes.count {
            let left = bytes.count - index
            let word =
                UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
                | (left > 2 ? UInt32(bytes[index + 2]) : 0)
            out.append(digits[Int(word >> 18)])
            out.append(digits[Int(word >> 12 & 63)])
            out.append(left > 1 ? digits[Int(word >> 6 & 63)] : UInt8(ascii: "="))
            out.append(left > 2 ? digits[Int(word & 63)] : UInt8(ascii: "="))
            index += 3
        }
    }

    /// The encoded text.
    public static func encode(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count + 2) / 3 * 4)
        encode(bytes.span, into: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// The bytes; nil when the text is no Base64 with its padding.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let text = Array(text.utf8)
        guard text.count.isMultiple(of: 4) else { return nil }
        let padding = text.suffix(2).count { $0 == UInt8(ascii: "=") }
        var out: [UInt8] = []
        for start in stride(from: 0, to: text.count, by: 4) {
            var word: UInt32 = 0
            let isLast = start + 4 == text.count
            for offset in 0..<4 {
                let isPadding = isLast && offset >= 4 - padding
                guard let value = isPadding ? 0 : value(text[start + offset]) else { return nil }
                word = word << 6 | UInt32(value)
            }
            out.append(UInt8(truncatingIfNeeded: word >> 16))
            if !isLast || padding < 2 { out.append(UInt8(truncatingIfNeeded: word >> 8)) }
            if !isLast || padding < 1 { out.append(UInt8(truncatingIfNeeded: word)) }
        }
        return out
    }

    private static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}

/// Random bytes from the system's generator.
enum Random {
    static func bytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}

/// Compares in a time that depends on the lengths alone.
func equalInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    if left.count != right.count { return false }
    var difference: UInt8 = 0
    for index in left.indices { difference |= left[index] ^ right[index] }
    return difference == 0
}
