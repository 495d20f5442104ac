/// The `%` operator on strings: `"%.2f" % price`, `"%s of %s" % (a, b)`.
enum Format {
    static let maximumDigits = 20
    private static let maximumWidth = 1000

    /// One `%` specification.
    private struct Specification {
        var isLeft = false
        var isZeroPadded = false
        var hasSign = false
        var width = 0
        var digits: Int?
    }

    /// The format with its specifications replaced: `s`, `r`, `d`, `i`, `f`, `x`, `X` and `%`, with flags `-`, `0`
    /// and `+`, width and precision. A list gives the values, anything else is the only one.
    static func percent(_ format: String, _ value: TemplateValue, limit: Int) throws -> String {
        var values: [TemplateValue] = [value]
        if case .list(let list) = value { values = list.elements }
        var next = 0
        var output: [UInt8] = []
        var bytes = Array(format.utf8)[...]
        while let byte = bytes.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                output.append(byte)
                continue
            }
            if bytes.first == byte {
                output.append(byte)
                bytes.removeFirst()
                continue
            }
            let specification = try specification(&bytes)
            guard let conversion = bytes.popFirst() else { throw TemplateError(.value, "incomplete format") }
            guard next < values.count else { throw TemplateError(.type, "not enough arguments for format") }
            let text = try convert(values[next], conversion, specification, limit: limit)
            output += pad(text, specification)
            next += 1
            guard output.count <= limit else { throw TemplateError(.limit, "string is longer than \(limit) bytes") }
        }
        guard next == values.count else { throw TemplateError(.type, "not all arguments used by format") }
        return String(decoding: output, as: UTF8.self)
    }

    private static func specification(_ bytes: inout ArraySlice<UInt8>) throws -> Specification {
        var result = Specification()
        flags: while let byte = bytes.first {
            switch byte {
            case UInt8(ascii: "-"): result.isLeft = true
            case UInt8(ascii: "0"): result.isZeroPadded = true
            case UInt8(ascii: "+"): result.hasSign = true
            default: break flags
            }
            bytes.removeFirst()
        }
        result.width = try number(&bytes, maximum: maximumWidth)
        if bytes.first == UInt8(ascii: ".") {
            bytes.removeFirst()
            result.digits = try number(&bytes, maximum: maximumWidth)
        }
        return result
    }

    private static func number(_ bytes: inout ArraySlice<UInt8>, maximum: Int) throws -> Int {
        var value = 0
        while let byte = bytes.first, byte.isDigit {
            value = value * 10 + Int(byte - 0x30)
            guard value <= maximum else { throw TemplateError(.value, "number in format is too large") }
            bytes.removeFirst()
        }
        return value
    }

    private static func convert(
        _ value: TemplateValue, _ conversion: UInt8, _ specification: Specification, limit: Int
    ) throws -> String {
        var text: String
        switch Unicode.Scalar(conversion) {
        case "s", "r":
            text = try value.printed(limit: limit)
            if let digits = specification.digits { text = String(text.unicodeScalars.prefix(digits)) }
            return text
        case "d", "i": text = String(try whole(value))
        case "x": text = String(try whole(value), radix: 16)
        case "X": text = String(try whole(value), radix: 16, uppercase: true)
        case "f", "F":
            guard let number = value.number else {
                throw TemplateError(.type, "%f needs a number, not \(value.kindName)")
            }
            text = fixed(number, digits: min(specification.digits ?? 6, maximumDigits))
        default: throw TemplateError(.value, "unsupported format character")
        }
        return specification.hasSign && !text.hasPrefix("-") ? "+" + text : text
    }

    private static func whole(_ value: TemplateValue) throws -> Int {
        if case .int(let number) = value { return number }
        guard let number = value.number, let whole = Int(exactly: number.rounded(.towardZero)) else {
            throw TemplateError(.type, "%d needs a number, not \(value.kindName)")
        }
        return whole
    }

    private static func pad(_ text: String, _ specification: Specification) -> [UInt8] {
        let bytes = Array(text.utf8)
        let missing = specification.width - text.unicodeScalars.count
        guard missing > 0 else { return bytes }
        if specification.isLeft { return bytes + [UInt8](repeating: 0x20, count: missing) }
        guard specification.isZeroPadded else { return [UInt8](repeating: 0x20, count: missing) + bytes }
        let signs = bytes.first == UInt8(ascii: "-") || bytes.first == UInt8(ascii: "+") ? 1 : 0
        return bytes[..<signs] + [UInt8](repeating: 0x30, count: missing) + bytes[signs...]
    }

    /// A number with a fixed count of digits behind the point, rounded from its exact value, halves to even.
    static func fixed(_ number: Double, digits: Int) -> String {
        guard number.isFinite else { return number.description }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let magnitude = number.magnitude
        let scaled = magnitude * scale
        // Beyond 2^53 doubles have no fraction; their shortest form is all there is to say.
        guard scaled < 9_007_199_254_740_992 else { return large(number, digits: digits) }
        // `scaled` is rounded; `error` is exactly what the rounding took away.
        let error = (-scaled).addingProduct(magnitude, scale)
        var whole = scaled.rounded(.down)
        let beyondHalf = (scaled - whole - 0.5) + error
        let isOdd = whole.truncatingRemainder(dividingBy: 2) != 0
        if beyondHalf > 0 || (beyondHalf == 0 && isOdd) { whole += 1 }
        var text = String(UInt64(whole))
        if digits > 0 {
            text = String(repeating: "0", count: max(0, digits + 1 - text.utf8.count)) + text
            let point = text.index(text.endIndex, offsetBy: -digits)
            text.insert(".", at: point)
        }
        return number.sign == .minus ? "-" + text : text
    }

    private static func large(_ number: Double, digits: Int) -> String {
        let text = Int(exactly: number.rounded(.toNearestOrEven)).map(String.init) ?? number.description
        guard digits > 0, text.utf8.allSatisfy({ $0.isDigit || $0 == UInt8(ascii: "-") }) else { return text }
        let fraction = number.magnitude.truncatingRemainder(dividingBy: 1)
        guard fraction != 0 else { return text + "." + String(repeating: "0", count: digits) }
        return number.description
    }
}
