/// Arithmetic and comparison, with Python's rules.
extension Renderer {
    mutating func arithmetic(
        _ operation: ArithmeticOperator, _ left: TemplateValue, _ right: TemplateValue
    ) throws -> TemplateValue {
        switch (left, right) {
        case (.int(let a), .int(let b)): return try Self.arithmetic(operation, a, b)
        case (.bool, .int), (.int, .bool), (.bool, .bool):
            // Booleans count as 0 and 1 and stay integers.
            return try arithmetic(operation, try positive(left), try positive(right))
        case (.string, .string), (.html, .html), (.string, .html), (.html, .string):
            if operation == .add { return try joined(left, right) }
        case (.list(let a), .list(let b)):
            if operation == .add { return try list(a.elements + b.elements) }
        case (.string(let text), .int(let count)), (.int(let count), .string(let text)):
            if operation == .multiply { return .string(try repeated(text, count)) }
        default: break
        }
        if operation == .remainder, case .string(let format) = left {
            try spend(format.utf8.count / 16)
            return .string(try Format.percent(format, right, limit: limits.outputBytes))
        }
        if let a = left.number, let b = right.number { return try Self.arithmetic(operation, a, b) }
        throw TemplateError(
            .type, "unsupported operands for \(operation.rawValue): \(left.kindName) and \(right.kindName)")
    }

    private static func arithmetic(_ operation: ArithmeticOperator, _ a: Int, _ b: Int) throws -> TemplateValue {
        if b == 0, operation != .add, operation != .subtract, operation != .multiply {
            throw TemplateError(.zeroDivision, "division by zero")
        }
        let (value, overflow): (Int, Bool)
        switch operation {
        case .add: (value, overflow) = a.addingReportingOverflow(b)
        case .subtract: (value, overflow) = a.subtractingReportingOverflow(b)
        case .multiply: (value, overflow) = a.multipliedReportingOverflow(by: b)
        case .divide: return .double(Double(a) / Double(b))
        case .floorDivide:
            let (quotient, didOverflow) = a.dividedReportingOverflow(by: b)
            // Swift rounds towards zero, Python down. The remainder of the overflowing pair is zero.
            let isInexact = !didOverflow && a % b != 0 && (a < 0) != (b < 0)
            (value, overflow) = (isInexact ? quotient - 1 : quotient, didOverflow)
        case .remainder:
            let rest = a.remainderReportingOverflow(dividingBy: b).partialValue
            (value, overflow) = (rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest, false)
        }
        guard !overflow else { throw TemplateError(.overflow, "integer overflow") }
        return .int(value)
    }

    private static func arithmetic(_ operation: ArithmeticOperator, _ a: Double, _ b: Double) throws -> TemplateValue {
        if b == 0, operation != .add, operation != .subtract, operation != .multiply {
            throw TemplateError(.zeroDivision, "division by zero")
        }
        switch operation {
        case .add: return .double(a + b)
        case .subtract: return .double(a - b)
        case .multiply: return .double(a * b)
        case .divide: return .double(a / b)
        case .floorDivide: return .double((a / b).rounded(.down))
        case .remainder:
            let rest = a.truncatingRemainder(dividingBy: b)
            return .double(rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest)
        }
    }

    /// Joins two texts. Text beside safe markup is escaped and the whole is safe.
    private mutating func joined(_ left: TemplateValue, _ right: TemplateValue) throws -> TemplateValue {
        switch (left, right) {
        case (.html(let a), .html(let b)): return .html(try bounded(a + b))
        case (.html(let a), .string(let b)): return .html(try bounded(a + Escape.html(b)))
        case (.string(let a), .html(let b)): return .html(try bounded(Escape.html(a) + b))
        default: return .string(try bounded((left.text ?? "") + (right.text ?? "")))
        }
    }

    /// Accounts for a text that was made.
    mutating func bounded(_ text: String) throws -> String {
        try spend(text.utf8.count / 16)
        guard text.utf8.count <= limits.outputBytes else {
            throw TemplateError(.limit, "string is longer than \(limits.outputBytes) bytes")
        }
        return text
    }

    private mutating func repeated(_ text: String, _ count: Int) throws -> String {
        guard count > 0, !text.isEmpty else { return "" }
        guard count <= limits.outputBytes / text.utf8.count else {
            throw TemplateError(.limit, "string is longer than \(limits.outputBytes) bytes")
        }
        return try bounded(String(repeating: text, count: count))
    }

    mutating func negated(_ value: TemplateValue) throws -> TemplateValue {
        switch value {
        case .int(let number):
            let (result, overflow) = 0.subtractingReportingOverflow(number)
            guard !overflow else { throw TemplateError(.overflow, "integer overflow") }
            return .int(result)
        case .bool(let flag): return .int(flag ? -1 : 0)
        case .double(let number): return .double(-number)
        default: throw TemplateError(.type, "unsupported operand for -: \(value.kindName)")
        }
    }

    mutating func positive(_ value: TemplateValue) throws -> TemplateValue {
        switch value {
        case .int, .double: return value
        case .bool(let flag): return .int(flag ? 1 : 0)
        default: throw TemplateError(.type, "unsupported operand for +: \(value.kindName)")
        }
    }

    // MARK: Comparison

    mutating func compare(
        _ operation: ComparisonOperator, _ left: TemplateValue, _ right: TemplateValue
    ) throws -> Bool {
        switch operation {
        case .equal: return try equal(left, right)
        case .notEqual: return try !equal(left, right)
        case .identical: return try identical(left, right)
        case .notIdentical: return try !identical(left, right)
        case .contained: return try contains(right, left)
        case .notContained: return try !contains(right, left)
        case .less:
            return try Self.ordered(left, right, operation) {
                $0 < $1
            } text: {
                $0 < $1
            }
        case .lessOrEqual:
            return try Self.ordered(left, right, operation) {
                $0 <= $1
            } text: {
                $0 <= $1
            }
        case .greater:
            return try Self.ordered(left, right, operation) {
                $0 > $1
            } text: {
                $0 > $1
            }
        case .greaterOrEqual:
            return try Self.ordered(left, right, operation) {
                $0 >= $1
            } text: {
                $0 >= $1
            }
        }
    }

    private static func ordered(
        _ left: TemplateValue, _ right: TemplateValue, _ operation: ComparisonOperator,
        _ numbers: (Double, Double) -> Bool, text: (String, String) -> Bool
    ) throws -> Bool {
        // Integers beyond 2^53 differ where their doubles don't.
        if case .int(let a) = left, case .int(let b) = right {
            return numbers(a < b ? -1 : (a == b ? 0 : 1), 0)
        }
        if let a = left.number, let b = right.number { return numbers(a, b) }
        if let a = left.text, let b = right.text { return text(a, b) }
        throw TemplateError(.type, "\(left.kindName) \(operation.rawValue) \(right.kindName) is not defined")
    }

    /// Equality by content. Values of different kinds are unequal, not an error.
    mutating func equal(_ left: TemplateValue, _ right: TemplateValue) throws -> Bool {
        switch (left, right) {
        case (.none, .none): return true
        case (.int(let a), .int(let b)): return a == b
        case (.string(let a), .string(let b)): return a == b
        case (.list(let a), .list(let b)):
            guard a.count == b.count, a.nesting == b.nesting else { return false }
            try Self.checkNesting(left)
            for (a, b) in zip(a.elements, b.elements) {
                try spend(1)
                guard try equal(a, b) else { return false }
            }
            return true
        case (.map(let a), .map(let b)):
            guard a.count == b.count, a.nesting == b.nesting else { return false }
            try Self.checkNesting(left)
            for key in a.keys {
                try spend(1)
                guard let x = a[key], let y = b[key], try equal(x, y) else { return false }
            }
            return true
        case (.function(let a), .function(let b)): return a === b
        case (.object(let a), .object(let b)): return a === b
        default:
            if let a = left.number, let b = right.number { return a == b }
            if let a = left.text, let b = right.text { return a == b }
            return false
        }
    }

    /// Values that the host made may be deeper than templates are allowed to go.
    private static func checkNesting(_ value: TemplateValue) throws {
        guard value.nesting <= TemplateValue.maximumNesting else {
            throw TemplateError(.limit, "value is too large to compare")
        }
    }

    /// `is`: equal and of the same kind, so that `0 is None` and `1 is True` are false.
    private mutating func identical(_ left: TemplateValue, _ right: TemplateValue) throws -> Bool {
        guard left.kindName == right.kindName else { return false }
        return try equal(left, right)
    }

    private mutating func contains(_ container: TemplateValue, _ value: TemplateValue) throws -> Bool {
        switch container {
        case .list(let list):
            for element in list.elements {
                try spend(1)
                if try equal(element, value) { return true }
            }
            return false
        case .map(let map): return value.text.map { map[$0] != nil } ?? false
        case .string(let text), .html(let text):
            guard let part = value.text else {
                throw TemplateError(.type, "\(value.kindName) can't be in a string")
            }
            try spend(text.utf8.count / 16)
            return Text.find(Array(part.utf8), in: Array(text.utf8), from: 0) != nil
        default: throw TemplateError(.type, "nothing can be in a \(container.kindName)")
        }
    }
}

extension TemplateValue {
    /// The value of a number or a boolean, nil for anything else.
    var number: Double? {
        switch self {
        case .int(let number): Double(number)
        case .double(let number): number
        case .bool(let flag): flag ? 1 : 0
        default: nil
        }
    }
}
