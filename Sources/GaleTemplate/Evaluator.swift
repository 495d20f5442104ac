/// Evaluating expressions (TPL-23).
extension Renderer {
    mutating func evaluate(_ node: ExpressionNode) throws -> TemplateValue {
        switch node {
        case .literal(let value): return value
        case .name(let symbol): return try variable(symbol)
        case .member(let base, let name):
            let value = try evaluate(base)
            return try member(name, of: value)
        case .index(let base, let index):
            let value = try evaluate(base)
            return try element(of: value, at: try evaluate(index))
        case .slice(let base, let from, let to): return try slice(base, from, to)
        case .call(let callee, let arguments):
            return try call(try evaluate(callee), try self.arguments(arguments))
        case .method(let base, let name, let arguments): return try callMethod(base, name, arguments)
        case .list(let nodes):
            var elements: [TemplateValue] = []
            elements.reserveCapacity(nodes.count)
            for node in nodes { elements.append(try evaluate(node)) }
            return try list(elements)
        case .map(let entries): return try map(entries)
        case .not(let operand): return .bool(!(try evaluate(operand).isTrue))
        case .negate(let operand): return try negated(try evaluate(operand))
        case .plus(let operand): return try positive(try evaluate(operand))
        case .arithmetic(let first, let rest):
            var value = try evaluate(first)
            for part in rest { value = try arithmetic(part.operation, value, try evaluate(part.operand)) }
            return value
        case .comparison(let first, let rest): return try comparison(first, rest)
        case .and(let nodes): return try shortCircuit(nodes, until: false)
        case .or(let nodes): return try shortCircuit(nodes, until: true)
        case .conditional(let test, let then, let otherwise):
            return try evaluate(try evaluate(test).isTrue ? then : otherwise)
        case .comprehension(let comprehension): return try evaluate(comprehension)
        }
    }

    // MARK: Names

    /// The value of a name: set by the template, given to the render, from the environment, the loader's
    /// namespace, or built in. Found once, it stays in its slot.
    mutating func variable(_ symbol: Int) throws -> TemplateValue {
        let slot = unit.slots[symbol]
        if let value = slots[slot] { return value }
        let name = program.names[slot]
        let value =
            values[name]?.templateValue ?? environment.value(name) ?? program.options.namespace[name]
            ?? Builtin(rawValue: name).map { .function(TemplateFunction(body: .builtin($0))) }
        guard let value else { throw TemplateError(.name, "name '\(name)' is not defined") }
        slots[slot] = value
        return value
    }

    // MARK: Members and indices

    private mutating func member(_ name: String, of value: TemplateValue) throws -> TemplateValue {
        switch value {
        case .map(let map):
            if let value = map[name] { return value }
        case .object(let object):
            if let value = try member(name, of: object) { return value }
        default: break
        }
        throw TemplateError(.attribute, "\(value.kindName) has no member '\(name)'")
    }

    private mutating func member(_ name: String, of object: any TemplateObject) throws -> TemplateValue? {
        let environment = environment
        return try host {
            if let reference = object as? EnvironmentObject { return try environment.member(name, of: reference.name) }
            return try object.member(name)
        }
    }

    private mutating func element(of value: TemplateValue, at index: TemplateValue) throws -> TemplateValue {
        switch (value, index) {
        case (.map(let map), .string(let key)), (.map(let map), .html(let key)):
            guard let value = map[key] else { throw TemplateError(.key, "no key '\(key)'") }
            return value
        case (.object(let object), .string(let key)):
            guard let value = try member(key, of: object) else { throw TemplateError(.key, "no key '\(key)'") }
            return value
        case (.list(let list), .int(let number)):
            return list.elements[try Self.position(number, count: list.count)]
        case (.string(let text), .int(let number)), (.html(let text), .int(let number)):
            let scalars = text.unicodeScalars
            let offset = try Self.position(number, count: scalars.count)
            return .string(String(scalars[scalars.index(scalars.startIndex, offsetBy: offset)]))
        default:
            throw TemplateError(.type, "\(value.kindName) can't be indexed by \(index.kindName)")
        }
    }

    /// The offset for an index, which counts from the end when it is negative.
    private static func position(_ index: Int, count: Int) throws -> Int {
        let offset = index < 0 ? index + count : index
        guard offset >= 0, offset < count else { throw TemplateError(.index, "index \(index) out of range") }
        return offset
    }

    private mutating func slice(
        _ base: ExpressionNode, _ from: ExpressionNode?, _ to: ExpressionNode?
    ) throws -> TemplateValue {
        let value = try evaluate(base)
        let first = try bound(from)
        let last = try bound(to)
        switch value {
        case .list(let list):
            let range = Self.range(first, last, count: list.count)
            return try self.list(Array(list.elements[range]))
        case .string(let text), .html(let text):
            try spend(text.utf8.count / 16)
            let scalars = text.unicodeScalars
            let range = Self.range(first, last, count: scalars.count)
            return .string(String(String.UnicodeScalarView(scalars.dropFirst(range.lowerBound).prefix(range.count))))
        default: throw TemplateError(.type, "\(value.kindName) can't be sliced")
        }
    }

    private mutating func bound(_ node: ExpressionNode?) throws -> Int? {
        guard let node else { return nil }
        switch try evaluate(node) {
        case .int(let number): return number
        case .none: return nil
        case let other: throw TemplateError(.type, "a slice is bounded by ints, not by \(other.kindName)")
        }
    }

    /// Python's slices: bounds outside are moved inside.
    private static func range(_ first: Int?, _ last: Int?, count: Int) -> Range<Int> {
        func clamp(_ index: Int) -> Int { min(max(index < 0 ? index + count : index, 0), count) }
        let lower = clamp(first ?? 0)
        return lower..<max(lower, clamp(last ?? count))
    }

    // MARK: Containers

    /// A new list, accounted for and not nested too deeply.
    mutating func list(_ elements: [TemplateValue]) throws -> TemplateValue {
        try spend(elements.count)
        let list = TemplateList(elements)
        guard list.nesting <= TemplateValue.maximumNesting else {
            throw TemplateError(.limit, "list nested too deeply")
        }
        return .list(list)
    }

    private mutating func map(_ entries: [MapEntryNode]) throws -> TemplateValue {
        var pairs: [(String, TemplateValue)] = []
        for entry in entries {
            guard let key = try evaluate(entry.key).text else { throw TemplateError(.type, "a map's keys are strings") }
            pairs.append((key, try evaluate(entry.value)))
        }
        try spend(pairs.count)
        let map = TemplateMap(pairs: pairs)
        guard map.nesting <= TemplateValue.maximumNesting else {
            throw TemplateError(.limit, "map nested too deeply")
        }
        return .map(map)
    }

    /// What a loop over the value sees: elements of a list, keys of a map, characters of a string.
    mutating func elements(of value: TemplateValue) throws -> [TemplateValue] {
        switch value {
        case .list(let list): return list.elements
        case .map(let map):
            try spend(map.count)
            return map.keys.map { .string($0) }
        case .string(let text), .html(let text):
            try spend(text.utf8.count)
            return text.unicodeScalars.map { .string(String($0)) }
        default: throw TemplateError(.type, "\(value.kindName) is not iterable")
        }
    }

    private mutating func evaluate(_ node: ComprehensionNode) throws -> TemplateValue {
        let source = try elements(of: try evaluate(node.source))
        let written = node.target.symbols.map { unit.slots[$0] }
        let saved = written.map { slots[$0] }
        // The names of a comprehension are its own.
        defer { for (slot, value) in zip(written, saved) { slots[slot] = value } }
        var result: [TemplateValue] = []
        for element in source {
            try spend(1)
            try assign(element, to: node.target)
            var isWanted = true
            for condition in node.conditions where isWanted { isWanted = try evaluate(condition).isTrue }
            if isWanted { result.append(try evaluate(node.element)) }
        }
        return try list(result)
    }

    // MARK: Logic

    /// `and` and `or` give the operand that decides, as in Python.
    private mutating func shortCircuit(_ nodes: [ExpressionNode], until truth: Bool) throws -> TemplateValue {
        var value = TemplateValue.none
        for node in nodes {
            value = try evaluate(node)
            if value.isTrue == truth { break }
        }
        return value
    }

    private mutating func comparison(_ first: ExpressionNode, _ rest: [ComparisonNode]) throws -> TemplateValue {
        var left = try evaluate(first)
        for part in rest {
            let right = try evaluate(part.operand)
            guard try compare(part.operation, left, right) else { return false }
            left = right
        }
        return true
    }

    // MARK: Calls

    mutating func arguments(_ nodes: [ArgumentNode]) throws -> TemplateArguments {
        if nodes.isEmpty { return TemplateArguments() }
        var positional: [TemplateValue] = []
        var keywords: [String: TemplateValue] = [:]
        for node in nodes {
            let value = try evaluate(node.value)
            if let keyword = node.keyword { keywords[keyword] = value } else { positional.append(value) }
        }
        return TemplateArguments(positional, keywords: keywords)
    }

    mutating func call(_ callee: TemplateValue, _ arguments: TemplateArguments) throws -> TemplateValue {
        guard case .function(let function) = callee else {
            throw TemplateError(.type, "\(callee.kindName) can't be called")
        }
        switch function.body {
        case .closure(let body): return try host { try body(arguments) }
        case .builtin(let builtin): return try call(builtin, arguments)
        case .environment(let name):
            guard let body = environment.functions[name] else {
                throw TemplateError(.name, "name '\(name)' is not defined")
            }
            return try host { try body(arguments) }
        case .module(let name):
            guard let body = environment.modules[name] else {
                throw TemplateError(.name, "module '\(name)' is not defined")
            }
            // A module gives markup, also when it is called as a function.
            let result = try host { try body(arguments) }
            return .html(try result.printed(limit: limits.outputBytes))
        }
    }

    private mutating func callMethod(
        _ base: ExpressionNode, _ name: String, _ arguments: [ArgumentNode]
    ) throws -> TemplateValue {
        let receiver = try evaluate(base)
        let values = try self.arguments(arguments)
        switch receiver {
        case .object(let object):
            guard let function = try member(name, of: object) else { break }
            return try call(function, values)
        case .map(let map):
            // A key that happens to be called `items` must not hide the method.
            if case .function? = map[name] { return try call(try member(name, of: receiver), values) }
            if let result = try method(name, of: map, values) { return result }
        case .string(let text), .html(let text):
            if let result = try method(name, of: text, values) { return result }
        default: break
        }
        throw TemplateError(.attribute, "\(receiver.kindName) has no method '\(name)'")
    }
}
