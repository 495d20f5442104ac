/// Escaping as Tornado does it (ESC-01..06). All functions are linear in the length of their input.
public enum Escape {
    /// Text made safe inside HTML elements and quoted attributes (ESC-01): `&`, `<`, `>`, `"` and `'` become
    /// entities.
    public static func html(_ text: String) -> String {
        var output: [UInt8] = []
        html(text, into: &output)
        return String(decoding: output, as: UTF8.self)
    }

    /// Another name for `html`, Tornado's `xhtml_escape`.
    public static func xhtmlEscape(_ text: String) -> String { html(text) }

    /// Appends text made safe for HTML.
    public static func html(_ text: String, into output: inout [UInt8]) {
        let bytes = text.utf8.span
        var first = 0
        while first < bytes.count, !bytes[first].isHTMLSpecial { first += 1 }
        let start = output.count
        output += text.utf8
        guard first < bytes.count else { return }
        var growth = 0
        for index in first..<bytes.count where bytes[index].isHTMLSpecial {
            growth += entity(for: bytes[index]).count - 1
        }
        output.append(contentsOf: repeatElement(0, count: growth))
        // Spread the copy out from its end: what has been read already is overwritten, nothing else.
        var span = output.mutableSpan
        var write = start + bytes.count + growth
        for index in stride(from: bytes.count - 1, through: first, by: -1) {
            let byte = bytes[index]
            if byte.isHTMLSpecial {
                for part in entity(for: byte).reversed() {
                    write -= 1
                    span[write] = part
                }
            } else {
                write -= 1
                span[write] = byte
            }
        }
    }

    private static func entity(for byte: UInt8) -> [UInt8] {
        switch byte {
        case UInt8(ascii: "&"): amp
        case UInt8(ascii: "<"): lt
        case UInt8(ascii: ">"): gt
        case UInt8(ascii: "\""): quot
        default: apos
        }
    }

    private static let amp = [UInt8]("&amp;".utf8)
    private static let lt = [UInt8]("&lt;".utf8)
    private static let gt = [UInt8]("&gt;".utf8)
    private static let quot = [UInt8]("&quot;".utf8)
    private static let apos = [UInt8]("&#x27;".utf8)

    /// Text with its entities replaced by what they stand for (ESC-01): the names of HTML 4 and `apos`, decimal
    /// and hexadecimal numbers, each with its semicolon. What is no entity stays as it is; a number that no character
    /// has becomes U+FFFD.
    public static func htmlUnescape(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "&")) else { return text }
        let bytes = Array(text.utf8)
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "&"), let (scalar, end) = entity(in: bytes, at: index + 1) {
                output += Array(String(scalar).utf8)
                index = end
            } else {
                output.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// The character of an entity whose `&` stands before `start`, and where it ends.
    private static func entity(in bytes: [UInt8], at start: Int) -> (Unicode.Scalar, Int)? {
        // No name or sensible number is longer; a bound keeps rows of `&` from being read again and again.
        let limit = min(bytes.count, start + 12)
        guard let end = bytes[start..<max(start, limit)].firstIndex(of: UInt8(ascii: ";")), end > start else {
            return nil
        }
        let content = bytes[start..<end]
        guard content.first == UInt8(ascii: "#") else {
            return HTMLEntities.scalars[content.string].map { ($0, end + 1) }
        }
        let isHex = content.dropFirst().first.map { $0 | 0x20 == UInt8(ascii: "x") } ?? false
        let digits = content.dropFirst(isHex ? 2 : 1)
        guard !digits.isEmpty, digits.allSatisfy({ isHex ? $0.hexValue != nil : $0.isDigit }) else { return nil }
        // A number without a character gives the replacement character.
        let value = UInt32(digits.string, radix: isHex ? 16 : 10) ?? 0
        return (value == 0 ? "\u{FFFD}" : Unicode.Scalar(value) ?? "\u{FFFD}", end + 1)
    }

    /// Text with each run of blanks and control characters replaced by one blank, and none at the ends (ESC-04).
    public static func squeeze(_ text: String) -> String {
        var output: [UInt8] = []
        output.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            if byte > 0x20 {
                output.append(byte)
            } else if let last = output.last, last != 0x20 {
                output.append(0x20)
            }
        }
        if output.last == 0x20 { output.removeLast() }
        return String(decoding: output, as: UTF8.self)
    }
}

extension UInt8 {
    /// One of the five bytes that HTML escaping replaces.
    fileprivate var isHTMLSpecial: Bool {
        // All five lie in 0x22...0x3E, and text hardly does.
        guard self >= 0x22, self <= 0x3E else { return false }
        return self == 0x26 || self == 0x3C || self == 0x3E || self == 0x22 || self == 0x27
    }
}
