/// The functions that every template can call (TPL-21). The raw value is the name in templates.
enum Builtin: String, Sendable {
    case escape
    case xhtmlEscape = "xhtml_escape"
    case urlEscape = "url_escape"
    case jsonEncode = "json_encode"
    case squeeze
    case linkify
    case len
    case range
    case str
    case int
    case float
    case bool
    case list
    case enumerate
    case zip
    case sorted
    case reversed
    case min
    case max
    case sum
    case abs
    case round
}

extension Renderer {
    mutating func call(_ builtin: Builtin, _ arguments: TemplateArguments) throws -> TemplateValue {
        switch builtin {
        case .escape, .xhtmlEscape, .urlEscape, .jsonEncode, .squeeze, .linkify:
            return try callEscape(builtin, arguments)
        case .len: return .int(try Self.length(try arguments.required(0)))
        case .str: return .string(try bounded(try arguments.value(0)?.printed(limit: limits.outputBytes) ?? ""))
        case .int, .float, .abs, .round: return try callNumber(builtin, arguments)
        case .bool: return .bool(arguments.bool(0))
        default: return try callSequence(builtin, arguments)
        }
    }

    // MARK: Escaping

    private mutating func callEscape(_ builtin: Builtin, _ arguments: TemplateArguments) throws -> TemplateValue {
        let value = try arguments.required(0)
        if builtin == .jsonEncode {
            return .string(try bounded(try Escape.jsonEncode(value, limit: limits.outputBytes)))
        }
        let text = try value.printed(limit: limits.outputBytes)
        try spend(text.utf8.count / 16)
        switch builtin {
        case .urlEscape:
            return .string(try bounded(Escape.urlEscape(text, plus: arguments.bool(1, "plus", default: true))))
        case .squeeze: return .string(Escape.squeeze(text))
        case .linkify:
            var options = LinkifyOptions()
            options.shorten = arguments.bool(1, "shorten")
            options.extraParameters = try arguments.value(2, "extra_params")?.printed() ?? ""
            options.requireProtocol = arguments.bool(3, "require_protocol")
            if let protocols = arguments.value(4, "permitted_protocols") {
                options.permittedProtocols = try elements(of: protocols).map { try $0.printed() }
            }
            return .html(try bounded(Escape.linkify(text, options)))
        default: return .html(try bounded(Escape.html(text)))
        }
    }

    // MARK: Numbers

    private static func length(_ value: TemplateValue) throws -> Int {
        switch value {
        case .string(let text), .html(let text): return text.unicodeScalars.count
        case .list(let list): return list.count
        case .map(let map): return map.count
        default: throw TemplateError(.type, "\(value.kindName) has no length")
        }
    }

    private mutating func callNumber(_ builtin: Builtin, _ arguments: TemplateArguments) throws -> TemplateValue {
        let value = try arguments.required(0)
        if let text = value.text {
            let trimmed = Text.strip(text, nil, start: true, end: true)
            if builtin == .int, let number = Int(trimmed) { return .int(number) }
            if builtin == .float, let number = Double(trimmed) { return .double(number) }
            throw TemplateError(.value, "'\(text)' is no number")
        }
        guard let number = value.number else { throw TemplateError(.type, "\(value.kindName) is no number") }
        switch builtin {
        case .float: return .double(number)
        case .abs:
            if case .int(let whole) = value { return whole < 0 ? try negated(value) : value }
            return .double(number.magnitude)
        case .round: return try Self.round(value, number, arguments)
        default:
            if case .int = value { return value }
            return try Self.whole(number.rounded(.towardZero))
        }
    }

    private static func round(_ value: TemplateValue, _ number: Double, _ arguments: TemplateArguments) throws
        -> TemplateValue
    {
        if case .int = value { return value }
        guard arguments.value(1, "ndigits") != nil else { return try whole(number.rounded(.toNearestOrEven)) }
        let digits = Swift.min(Swift.max(try arguments.int(1, "ndigits"), 0), Format.maximumDigits)
        return .double(Double(Format.fixed(number, digits: digits)) ?? number)
    }

    private static func whole(_ number: Double) throws -> TemplateValue {
        guard let whole = Int(exactly: number) else { throw TemplateError(.overflow, "number is too large for an int") }
        return .int(whole)
    }

    // MARK: Sequences

    private mutating func callSequence(_ builtin: Builtin, _ arguments: TemplateArguments) throws -> TemplateValue {
        switch builtin {
        case .range: return try range(arguments)
        case .zip: return try zip(arguments)
        case .min, .max: return try extreme(builtin, arguments)
        case .list where arguments.count == 0: return .list([])
        default: break
        }
        let source = try elements(of: try arguments.required(0))
        try spend(source.count)
        switch builtin {
        case .reversed: return try list(source.reversed())
        case .sorted: return try list(try sorted(source, isReversed: arguments.bool(1, "reverse")))
        case .enumerate:
            let start = try arguments.int(1, "start", default: 0)
            return try list(source.enumerated().map { .list([.int($0.offset &+ start), $0.element]) })
        case .sum: return try source.reduce(.int(0)) { try arithmetic(.add, $0, $1) }
        default: return try list(source)
        }
    }

    private mutating func range(_ arguments: TemplateArguments) throws -> TemplateValue {
        let first = try arguments.int(0)
        let hasEnd = arguments.positional.count > 1
        let (start, end) = hasEnd ? (first, try arguments.int(1)) : (0, first)
        let step = try arguments.int(2, default: 1)
        guard step != 0 else { throw TemplateError(.value, "range with step 0") }
        var elements: [TemplateValue] = []
        for number in stride(from: start, to: end, by: step) {
            try spend(1)
            elements.append(.int(number))
        }
        return try list(elements)
    }

    private mutating func zip(_ arguments: TemplateArguments) throws -> TemplateValue {
        var columns: [[TemplateValue]] = []
        for argument in arguments.positional { columns.append(try elements(of: argument)) }
        let count = columns.map(\.count).min() ?? 0
        try spend(count * columns.count)
        return try list((0..<count).map { row in .list(TemplateList(columns.map { $0[row] })) })
    }

    private mutating func extreme(_ builtin: Builtin, _ arguments: TemplateArguments) throws -> TemplateValue {
        let isOne = arguments.positional.count == 1
        let source = isOne ? try elements(of: arguments.positional[0]) : arguments.positional
        guard var best = source.first else { throw TemplateError(.value, "\(builtin.rawValue) of nothing") }
        for element in source.dropFirst() {
            try spend(1)
            if try compare(builtin == .min ? .less : .greater, element, best) { best = element }
        }
        return best
    }

    private mutating func sorted(_ source: [TemplateValue], isReversed: Bool) throws -> [TemplateValue] {
        // Equal elements keep their order in both directions, as in Python.
        let order = try source.indices.sorted { a, b in
            try spend(1)
            if try compare(isReversed ? .greater : .less, source[a], source[b]) { return true }
            if try compare(isReversed ? .greater : .less, source[b], source[a]) { return false }
            return a < b
        }
        return order.map { source[$0] }
    }
}
