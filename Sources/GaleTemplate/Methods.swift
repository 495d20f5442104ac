/// The methods that templates may call on strings and maps: these and no others (TPL-23).
extension Renderer {
    /// The result of a string method, or nil when there is no such method.
    mutating func method(_ name: String, of text: String, _ arguments: TemplateArguments) throws -> TemplateValue? {
        try spend(text.utf8.count / 16)
        switch name {
        case "upper": return .string(try bounded(text.uppercased()))
        case "lower": return .string(try bounded(text.lowercased()))
        case "strip", "lstrip", "rstrip":
            let characters = try arguments.value(0).flatMap { try Self.optionalText($0) }
            return .string(Text.strip(text, characters, start: name != "rstrip", end: name != "lstrip"))
        case "split": return try split(text, arguments)
        case "join": return try join(text, arguments)
        case "replace": return try replace(text, arguments)
        case "startswith": return .bool(text.utf8.starts(with: try arguments.string(0).utf8))
        case "endswith": return .bool(text.utf8.reversed().starts(with: try arguments.string(0).utf8.reversed()))
        default: return nil
        }
    }

    private static func optionalText(_ value: TemplateValue) throws -> String? {
        if case .none = value { return nil }
        guard let text = value.text else { throw TemplateError(.type, "expected a string, not \(value.kindName)") }
        return text
    }

    private mutating func split(_ text: String, _ arguments: TemplateArguments) throws -> TemplateValue {
        let separator = try arguments.value(0, "sep").flatMap { try Self.optionalText($0) }
        guard let separator else { return try list(Text.words(text).map { .string($0) }) }
        guard !separator.isEmpty else { throw TemplateError(.value, "empty separator") }
        let maximum = try arguments.int(1, "maxsplit", default: -1)
        let parts = Text.split(text, by: separator, maximum: maximum < 0 ? .max : maximum)
        return try list(parts.map { .string($0) })
    }

    private mutating func join(_ separator: String, _ arguments: TemplateArguments) throws -> TemplateValue {
        var result = ""
        for (index, element) in try elements(of: try arguments.required(0)).enumerated() {
            guard let text = element.text else {
                throw TemplateError(.type, "join needs strings, not \(element.kindName)")
            }
            if index > 0 { result += separator }
            result += text
            try spend(1 + (separator.utf8.count + text.utf8.count) / 16)
            guard result.utf8.count <= limits.outputBytes else { break }
        }
        return .string(try bounded(result))
    }

    private mutating func replace(_ text: String, _ arguments: TemplateArguments) throws -> TemplateValue {
        let old = try arguments.string(0, "old")
        let new = try arguments.string(1, "new")
        guard !old.isEmpty else { throw TemplateError(.value, "empty text to replace") }
        let maximum = try arguments.int(2, "count", default: -1)
        let parts = Text.split(text, by: old, maximum: maximum < 0 ? .max : maximum)
        guard new.utf8.isEmpty || parts.count <= limits.outputBytes / new.utf8.count else {
            throw TemplateError(.limit, "string is longer than \(limits.outputBytes) bytes")
        }
        return .string(try bounded(parts.joined(separator: new)))
    }

    /// The result of a map method, or nil when there is no such method.
    mutating func method(_ name: String, of map: TemplateMap, _ arguments: TemplateArguments) throws -> TemplateValue? {
        switch name {
        case "get": return map[try arguments.string(0)] ?? arguments.value(1, "default") ?? TemplateValue.none
        case "keys": return try list(map.keys.map { .string($0) })
        case "values": return try list(map.keys.map { map[$0] ?? .none })
        case "items": return try list(map.keys.map { .list([.string($0), map[$0] ?? .none]) })
        default: return nil
        }
    }
}
