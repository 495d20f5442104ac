/// Printing values into the output.
extension Renderer {
    /// Prints a value with the escaping of the file that it stands in (TPL-01, TPL-15).
    mutating func emit(_ value: TemplateValue, isRaw: Bool) throws {
        if isRaw { return try value.print(to: &output, limit: limits.outputBytes) }
        switch unit.file.parts.autoescape {
        case .off: try value.print(to: &output, limit: limits.outputBytes)
        case .html: try emitEscaped(value)
        case .function(let node): try emit(value, through: node)
        }
    }

    private mutating func emitEscaped(_ value: TemplateValue) throws {
        switch value {
        case .string(let text): Escape.html(text, into: &output)
        case .list, .map, .object: Escape.html(try value.printed(limit: limits.outputBytes), into: &output)
        default: try value.print(to: &output, limit: limits.outputBytes)
        }
    }

    /// An escaping function of the template's own sees text, or markup that is safe already.
    private mutating func emit(_ value: TemplateValue, through node: ExpressionNode) throws {
        let function = try evaluate(node)
        var argument = value
        if case .html = value {} else { argument = .string(try value.printed(limit: limits.outputBytes)) }
        let result = try call(function, TemplateArguments([argument]))
        try result.print(to: &output, limit: limits.outputBytes)
    }
}

extension TemplateValue {
    /// The text that `{{ value }}` prints, before escaping. Throws for functions and for objects without text.
    func printed(limit: Int = TemplateLimits().outputBytes) throws -> String {
        if let text { return text }
        var bytes: [UInt8] = []
        try print(to: &bytes, limit: limit)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the text of the value. Lists and maps look as in Python.
    func print(to output: inout [UInt8], limit: Int) throws {
        switch self {
        case .none: break
        case .bool(let flag): output += (flag ? "True" : "False").utf8
        case .int(let number): output.appendDecimal(number)
        case .double(let number): output += number.description.utf8
        case .string(let text), .html(let text): output += text.utf8
        case .list, .map: try printLiteral(to: &output, limit: limit)
        case .object(let object):
            guard let text = object.templateText else { throw TemplateError(.type, "an object can't be printed") }
            output += text.utf8
        case .function: throw TemplateError(.type, "a function can't be printed; is a call missing its brackets?")
        }
    }

    /// The value as it would be written in a template. A value may share its parts so often that its text is
    /// endless for all purposes, hence the limit.
    private func printLiteral(to output: inout [UInt8], limit: Int) throws {
        guard output.count <= limit, nesting <= Self.maximumNesting else {
            throw TemplateError(.limit, "value is too large to print")
        }
        switch self {
        case .none: output += "None".utf8
        case .string(let text), .html(let text): Self.appendQuoted(text, to: &output)
        case .list(let list):
            output.append(UInt8(ascii: "["))
            for (index, element) in list.elements.enumerated() {
                if index > 0 { output += ", ".utf8 }
                try element.printLiteral(to: &output, limit: limit)
            }
            output.append(UInt8(ascii: "]"))
        case .map(let map):
            output.append(UInt8(ascii: "{"))
            for (index, key) in map.keys.enumerated() {
                if index > 0 { output += ", ".utf8 }
                Self.appendQuoted(key, to: &output)
                output += ": ".utf8
                try map[key]?.printLiteral(to: &output, limit: limit)
            }
            output.append(UInt8(ascii: "}"))
        default: try print(to: &output, limit: limit)
        }
    }

    /// How deep a value may be nested that a template builds or prints.
    static let maximumNesting = 60

    /// A text in quotes, as Python would show it.
    static func quoted(_ text: String) -> String {
        var output: [UInt8] = []
        appendQuoted(text, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    private static func appendQuoted(_ text: String, to output: inout [UInt8]) {
        let single = UInt8(ascii: "'")
        let double = UInt8(ascii: "\"")
        let quote = text.utf8.contains(single) && !text.utf8.contains(double) ? double : single
        output.append(quote)
        for byte in text.utf8 {
            switch byte {
            case quote, UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), byte]
            case 0x0A: output += "\\n".utf8
            case 0x0D: output += "\\r".utf8
            case 0x09: output += "\\t".utf8
            case 0..<0x20, 0x7F: output += [0x5C, 0x78, UInt8.hexDigit(byte >> 4), UInt8.hexDigit(byte & 15)]
            default: output.append(byte)
            }
        }
        output.append(quote)
    }
}

extension UInt8 {
    /// `0` to `9`, `a` to `f`.
    static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
}

extension [UInt8] {
    /// Appends a number in decimal.
    mutating func appendDecimal(_ number: Int) {
        var rest = number.magnitude
        if number < 0 { append(UInt8(ascii: "-")) }
        let start = count
        repeat {
            append(0x30 + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        self[start...].reverse()
    }
}
