/// Encoding as JSON.
extension Escape {
    /// A value as JSON in ASCII that is safe inside a `<script>` element (ESC-03): `</` becomes `<\/`. Numbers that
    /// JSON has no form for become `null`. Throws for functions and objects, and for values that nest too deeply.
    public static func jsonEncode(_ value: any TemplateConvertible) throws -> String {
        try jsonEncode(value.templateValue, limit: .max)
    }

    static func jsonEncode(_ value: TemplateValue, limit: Int) throws -> String {
        guard value.nesting <= TemplateValue.maximumNesting else {
            throw TemplateError(.limit, "value is nested too deeply for JSON")
        }
        var output: [UInt8] = []
        try append(value, to: &output, limit: limit)
        return String(decoding: output, as: UTF8.self)
    }

    private static func append(_ value: TemplateValue, to output: inout [UInt8], limit: Int) throws {
        guard output.count <= limit else { throw TemplateError(.limit, "JSON is longer than \(limit) bytes") }
        switch value {
        case .none: output += "null".utf8
        case .bool(let flag): output += (flag ? "true" : "false").utf8
        case .int(let number): output.appendDecimal(number)
        case .double(let number): output += (number.isFinite ? number.description : "null").utf8
        case .string(let text), .html(let text): append(text, to: &output)
        case .list(let list):
            output.append(UInt8(ascii: "["))
            for (index, element) in list.elements.enumerated() {
                if index > 0 { output += ", ".utf8 }
                try append(element, to: &output, limit: limit)
            }
            output.append(UInt8(ascii: "]"))
        case .map(let map):
            output.append(UInt8(ascii: "{"))
            for (index, key) in map.keys.enumerated() {
                if index > 0 { output += ", ".utf8 }
                append(key, to: &output)
                output += ": ".utf8
                try append(map[key] ?? .none, to: &output, limit: limit)
            }
            output.append(UInt8(ascii: "}"))
        case .function, .object: throw TemplateError(.type, "\(value.kindName) has no JSON form")
        }
    }

    private static func append(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        var afterLess = false
        for unit in text.utf16 {
            switch unit {
            case 0x22: output += "\\\"".utf8
            case 0x5C: output += "\\\\".utf8
            case 0x2F where afterLess: output += "\\/".utf8
            case 0x0A: output += "\\n".utf8
            case 0x0D: output += "\\r".utf8
            case 0x09: output += "\\t".utf8
            case 0x08: output += "\\b".utf8
            case 0x0C: output += "\\f".utf8
            case 0x20...0x7E: output.append(UInt8(truncatingIfNeeded: unit))
            default:
                output += "\\u".utf8
                for shift in [12, 8, 4, 0] {
                    output.append(.hexDigit(UInt8(truncatingIfNeeded: unit >> UInt16(shift)) & 15))
                }
            }
            afterLess = unit == 0x3C
        }
        output.append(UInt8(ascii: "\""))
    }
}
