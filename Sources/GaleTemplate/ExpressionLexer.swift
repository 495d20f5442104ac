/// A token of an expression.
enum ExpressionToken: Sendable, Equatable {
    case name(String)
    case int(Int)
    case double(Double)
    case string(String)
    /// An operator or bracket.
    case symbol(String)
    case end
}

/// Cuts an expression into tokens. Linear in the length of the text.
struct ExpressionLexer {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// All tokens, closed by `.end`.
    static func tokens(_ bytes: ArraySlice<UInt8>) throws -> [ExpressionToken] {
        var lexer = ExpressionLexer(bytes)
        var tokens: [ExpressionToken] = []
        while let token = try lexer.next() { tokens.append(token) }
        tokens.append(.end)
        return tokens
    }

    private func byte(at index: Int) -> UInt8? { index < bytes.endIndex ? bytes[index] : nil }

    private mutating func next() throws -> ExpressionToken? {
        while let byte = byte(at: position), byte.isTemplateSpace { position += 1 }
        guard let first = byte(at: position) else { return nil }
        if first.isNameStart {
            let start = position
            while let byte = byte(at: position), byte.isNameByte { position += 1 }
            return .name(bytes[start..<position].string)
        }
        if first.isDigit || (first == UInt8(ascii: ".") && byte(at: position + 1)?.isDigit == true) {
            return try number()
        }
        if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") { return .string(try string(quote: first)) }
        return .symbol(try symbol())
    }

    private static let pairs: Set<String> = ["==", "!=", "<=", ">=", "//", "+=", "-=", "*=", "/=", "%="]
    private static let singles = Set("+-*/%<>=()[]{},.:")

    private mutating func symbol() throws -> String {
        if position + 1 < bytes.endIndex {
            let pair = bytes[position..<(position + 2)].string
            if Self.pairs.contains(pair) {
                position += 2
                return pair
            }
        }
        let character = Character(Unicode.Scalar(bytes[position]))
        guard Self.singles.contains(character) else {
            throw TemplateError(.syntax, "unexpected character '\(character)' in expression")
        }
        position += 1
        return String(character)
    }

    private mutating func number() throws -> ExpressionToken {
        let start = position
        var isDouble = false
        while let byte = byte(at: position) {
            let isSign = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
            if isSign, bytes[position - (position > start ? 1 : 0)] | 0x20 != UInt8(ascii: "e") || isHex(start) {
                break
            }
            guard isSign || byte.isNameByte || byte == UInt8(ascii: ".") else { break }
            if byte == UInt8(ascii: ".") { isDouble = true }
            position += 1
        }
        let text = bytes[start..<position].filter { $0 != UInt8(ascii: "_") }[...].string
        if text.hasPrefix("0x") || text.hasPrefix("0X") {
            if let value = Int(text.dropFirst(2), radix: 16) { return .int(value) }
        } else if isDouble || text.contains(where: { $0 == "e" || $0 == "E" }) {
            if let value = Double(text) { return .double(value) }
        } else if let value = Int(text) {
            return .int(value)
        }
        throw TemplateError(.syntax, "invalid number '\(text)'")
    }

    private func isHex(_ start: Int) -> Bool {
        bytes[start] == UInt8(ascii: "0") && (byte(at: start + 1) ?? 0) | 0x20 == UInt8(ascii: "x")
    }

    private mutating func string(quote: UInt8) throws -> String {
        position += 1
        var content: [UInt8] = []
        while let byte = byte(at: position) {
            position += 1
            if byte == quote { return String(decoding: content, as: UTF8.self) }
            if byte == UInt8(ascii: "\\") { try escape(into: &content) } else { content.append(byte) }
        }
        throw TemplateError(.syntax, "unterminated string literal")
    }

    /// Reads what follows a backslash. An unknown escape keeps its backslash, as in Python.
    private mutating func escape(into content: inout [UInt8]) throws {
        guard let byte = byte(at: position) else { return }
        position += 1
        switch byte {
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "0"): content.append(0)
        case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): content.append(byte)
        case 0x0A: break
        case UInt8(ascii: "x"): try codePoint(digits: 2, into: &content)
        case UInt8(ascii: "u"): try codePoint(digits: 4, into: &content)
        case UInt8(ascii: "U"): try codePoint(digits: 8, into: &content)
        default: content += [UInt8(ascii: "\\"), byte]
        }
    }

    private mutating func codePoint(digits: Int, into content: inout [UInt8]) throws {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let digit = byte(at: position)?.hexValue else {
                throw TemplateError(.syntax, "truncated escape in string literal")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        guard let scalar = Unicode.Scalar(value) else {
            throw TemplateError(.syntax, "escape in string literal is no character")
        }
        content += Array(String(scalar).utf8)
    }
}
