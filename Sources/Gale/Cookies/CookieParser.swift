internal import GaleCore

/// The Cookie field as browsers mean it (HU-30): split at every ';', the last of a name wins, one pass.
enum CookieParser {
    static func parse(_ text: String) -> [(name: String, value: String)] {
        var cookies: [(name: String, value: String)] = []
        for piece in text.utf8.split(separator: UInt8(ascii: ";")) {
            let equals = piece.firstIndex(of: UInt8(ascii: "="))
            let name = trim(equals.map { piece[..<$0] } ?? piece[..<piece.startIndex])
            let value = trim(equals.map { piece[piece.index(after: $0)...] } ?? piece)
            if name.isEmpty && value.isEmpty { continue }
            cookies.append((string(name), unquote(value)))
        }
        return cookies
    }

    private static func string(_ bytes: Substring.UTF8View) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func trim(_ bytes: Substring.UTF8View) -> Substring.UTF8View {
        func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var bytes = bytes.drop(while: isBlank)
        while let last = bytes.last, isBlank(last) { bytes = bytes.dropLast() }
        return bytes
    }

    /// Undoes `"\073"` and `"\""`, if there are quotes at both ends.
    private static func unquote(_ bytes: Substring.UTF8View) -> String {
        let quote = UInt8(ascii: "\"")
        guard bytes.count >= 2, bytes.first == quote, bytes.last == quote else { return string(bytes) }
        let inner = Array(bytes.dropFirst().dropLast())
        var out: [UInt8] = []
        var index = 0
        while index < inner.count {
            guard inner[index] == UInt8(ascii: "\\"), index + 1 < inner.count else {
                out.append(inner[index])
                index += 1
                continue
            }
            if let byte = octal(inner, index + 1) {
                out.append(byte)
                index += 4
            } else {
                out.append(inner[index + 1])
                index += 2
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func octal(_ bytes: [UInt8], _ index: Int) -> UInt8? {
        guard index + 2 < bytes.count, bytes[index] >= UInt8(ascii: "0"), bytes[index] <= UInt8(ascii: "3") else {
            return nil
        }
        var value: UInt8 = 0
        for digit in bytes[index...(index + 2)] {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "7") else { return nil }
            value = value << 3 | (digit - UInt8(ascii: "0"))
        }
        return value
    }
}

extension Call {
    /// A cookie of the request; parsed once.
    func cookie(_ name: String) -> String? {
        if let known = extrasIfAny?.cookies { return known.last { $0.name == name }?.value }
        guard let field = header("Cookie") else { return nil }
        let cookies = CookieParser.parse(field)
        extras.cookies = cookies
        return cookies.last { $0.name == name }?.value
    }
}
