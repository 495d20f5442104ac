/// Parses one expression (TPL-23). Nesting is bounded while reading and the height of every tree while building,
/// so that neither parsing nor evaluating nor freeing can exhaust the stack.
struct ExpressionParser {
    /// A parsed expression and how deep its tree is.
    struct Term {
        let node: ExpressionNode
        let height: Int
    }

    static let maximumHeight = 100
    static let maximumNesting = 64

    let tokens: [ExpressionToken]
    var position = 0
    private var nesting = 0
    var symbols: SymbolTable

    init(_ source: ArraySlice<UInt8>, symbols: SymbolTable) throws {
        tokens = try ExpressionLexer.tokens(source)
        self.symbols = symbols
    }

    // MARK: Whole inputs

    /// The whole text as one expression; `a, b` makes a list.
    mutating func parseExpression() throws -> ExpressionNode {
        let term = try tuple()
        try expectEnd()
        return term.node
    }

    /// `targets = expression`, also with `+=` and its like.
    mutating func parseAssignment() throws -> (Target, ArithmeticOperator?, ExpressionNode) {
        let target = try targets()
        guard case .symbol(let sign) = advance(), sign.hasSuffix("="), let mode = Self.assignments[sign] else {
            throw syntax("set needs 'name = expression'")
        }
        if mode.operation != nil, case .list = target { throw syntax("'\(sign)' needs a single name") }
        return (target, mode.operation, try parseExpression())
    }

    private struct Assignment {
        let operation: ArithmeticOperator?
    }

    private static let assignments: [String: Assignment] = [
        "=": .init(operation: nil), "+=": .init(operation: .add), "-=": .init(operation: .subtract),
        "*=": .init(operation: .multiply), "/=": .init(operation: .divide), "%=": .init(operation: .remainder),
    ]

    /// `targets in expression`.
    mutating func parseLoopHead() throws -> (Target, ExpressionNode) {
        let target = try targets()
        guard take(name: "in") else { throw syntax("for needs 'name in expression'") }
        return (target, try parseExpression())
    }

    /// `Name(arguments)` of a module directive; the name may have dots.
    mutating func parseModuleCall() throws -> (String, [ArgumentNode]) {
        guard case .name(var name) = advance() else { throw syntax("module needs 'Name(arguments)'") }
        while take("."), case .name(let part) = advance() { name += ".\(part)" }
        guard take("(") else { throw syntax("module needs 'Name(arguments)'") }
        let (arguments, _) = try arguments()
        try expectEnd()
        return (name, arguments)
    }

    /// The names of an except clause and the variable for the message.
    mutating func parseExceptHead() throws -> ([String], Int?) {
        var names: [String] = []
        let isGroup = take("(")
        repeat {
            guard case .name(let name) = advance() else { throw syntax("except needs the name of an error") }
            guard TemplateError.exceptionNames[name] != nil else { throw syntax("unknown error name '\(name)'") }
            names.append(name)
        } while isGroup && take(",")
        if isGroup { try expect(")") }
        var variable: Int?
        if take(name: "as") {
            guard case .name(let name) = advance() else { throw syntax("except needs a name after 'as'") }
            variable = symbols.number(of: name)
        }
        try expectEnd()
        return (names, variable)
    }

    // MARK: Targets

    mutating func targets() throws -> Target {
        var parts = [try target()]
        var isList = false
        while take(",") {
            isList = true
            // A list of one is written with a comma behind it.
            if peek("=") || peek(")") || peek(name: "in") { break }
            parts.append(try target())
        }
        return isList ? .list(parts) : parts[0]
    }

    private mutating func target() throws -> Target {
        if take("(") {
            return try nested { parser in
                let target = try parser.targets()
                try parser.expect(")")
                return target
            }
        }
        guard case .name(let name) = advance(), !Self.reserved.contains(name) else {
            throw syntax("expected a name to assign to")
        }
        return .name(symbols.number(of: name))
    }

    // MARK: Operators, from the loosest to the tightest

    mutating func tuple() throws -> Term {
        let first = try conditional()
        guard peek(",") else { return first }
        var terms = [first]
        while take(","), tokens[position] != .end, !peek(")") { terms.append(try conditional()) }
        return try make(.list(terms.map(\.node)), over: terms)
    }

    mutating func conditional() throws -> Term {
        try nested { parser in
            let value = try parser.disjunction()
            guard parser.take(name: "if") else { return value }
            let test = try parser.disjunction()
            guard parser.take(name: "else") else { throw parser.syntax("conditional expression without else") }
            let otherwise = try parser.conditional()
            return try parser.make(
                .conditional(test: test.node, then: value.node, otherwise: otherwise.node),
                over: [value, test, otherwise])
        }
    }

    mutating func disjunction() throws -> Term {
        var terms = [try conjunction()]
        while take(name: "or") { terms.append(try conjunction()) }
        return terms.count == 1 ? terms[0] : try make(.or(terms.map(\.node)), over: terms)
    }

    private mutating func conjunction() throws -> Term {
        var terms = [try negation()]
        while take(name: "and") { terms.append(try negation()) }
        return terms.count == 1 ? terms[0] : try make(.and(terms.map(\.node)), over: terms)
    }

    private mutating func negation() throws -> Term {
        guard take(name: "not") else { return try comparison() }
        return try nested { parser in
            let operand = try parser.negation()
            return try parser.make(.not(operand.node), over: [operand])
        }
    }

    private mutating func comparison() throws -> Term {
        let first = try sum()
        var terms = [first]
        var rest: [ComparisonNode] = []
        while let operation = takeComparison() {
            let operand = try sum()
            terms.append(operand)
            rest.append(ComparisonNode(operation: operation, operand: operand.node))
        }
        return rest.isEmpty ? first : try make(.comparison(first.node, rest), over: terms)
    }

    mutating func takeComparison() -> ComparisonOperator? {
        if take(name: "in") { return .contained }
        if take(name: "is") { return take(name: "not") ? .notIdentical : .identical }
        if case .name("not") = tokens[position], tokens[position + 1] == .name("in") {
            position += 2
            return .notContained
        }
        guard case .symbol(let sign) = tokens[position], let operation = ComparisonOperator(rawValue: sign) else {
            return nil
        }
        position += 1
        return operation
    }

    private mutating func sum() throws -> Term {
        try chain(["+", "-"]) { parser in
            try parser.chain(["*", "/", "//", "%"]) { try $0.unary() }
        }
    }

    private mutating func chain(
        _ signs: [String], _ operand: (inout ExpressionParser) throws -> Term
    ) throws -> Term {
        let first = try operand(&self)
        var terms = [first]
        var rest: [OperationNode] = []
        while case .symbol(let sign) = tokens[position], signs.contains(sign),
            let operation = ArithmeticOperator(rawValue: sign)
        {
            position += 1
            let term = try operand(&self)
            terms.append(term)
            rest.append(OperationNode(operation: operation, operand: term.node))
        }
        return rest.isEmpty ? first : try make(.arithmetic(first.node, rest), over: terms)
    }

    private mutating func unary() throws -> Term {
        let isMinus = peek("-")
        guard isMinus || peek("+") else { return try postfix() }
        position += 1
        return try nested { parser in
            let operand = try parser.unary()
            return try parser.make(isMinus ? .negate(operand.node) : .plus(operand.node), over: [operand])
        }
    }

    // MARK: Members, indices, calls

    private mutating func postfix() throws -> Term {
        var term = try primary()
        while true {
            if take(".") {
                guard case .name(let name) = advance() else { throw syntax("expected a name after '.'") }
                if take("(") {
                    let (arguments, height) = try arguments()
                    term = try make(.method(term.node, name, arguments), over: [term], height: height)
                } else {
                    term = try make(.member(term.node, name), over: [term])
                }
            } else if take("(") {
                let (arguments, height) = try arguments()
                term = try make(.call(term.node, arguments), over: [term], height: height)
            } else if take("[") {
                term = try subscripted(term)
            } else {
                return term
            }
        }
    }

    private mutating func subscripted(_ base: Term) throws -> Term {
        let from = peek(":") ? nil : try conditional()
        if take(":") {
            let to = peek("]") ? nil : try conditional()
            try expect("]")
            let terms = [base] + [from, to].compactMap { $0 }
            return try make(.slice(base.node, from: from?.node, to: to?.node), over: terms)
        }
        try expect("]")
        guard let from else { throw syntax("empty index") }
        return try make(.index(base.node, from.node), over: [base, from])
    }

    /// Arguments behind an open bracket, and the height of the highest.
    private mutating func arguments() throws -> ([ArgumentNode], Int) {
        var result: [ArgumentNode] = []
        var height = 0
        var seen: Set<String> = []
        while !take(")") {
            var keyword: String?
            if case .name(let name) = tokens[position], tokens[position + 1] == .symbol("=") {
                keyword = name
                position += 2
            }
            var term = try conditional()
            if keyword == nil, peek(name: "for") { term = try comprehension(of: term) }
            if keyword == nil, result.last?.keyword != nil { throw syntax("plain argument after a keyword argument") }
            if let keyword, !seen.insert(keyword).inserted {
                throw syntax("keyword argument '\(keyword)' repeated")
            }
            result.append(ArgumentNode(keyword: keyword, value: term.node))
            height = max(height, term.height)
            guard take(",") else {
                try expect(")")
                break
            }
        }
        return (result, height)
    }

    // MARK: Tokens

    mutating func advance() -> ExpressionToken {
        let token = tokens[position]
        // The closing `.end` is never passed, so looking at the current token is always safe.
        if token != .end { position += 1 }
        return token
    }

    func peek(_ sign: String) -> Bool { tokens[position] == .symbol(sign) }
    func peek(name: String) -> Bool { tokens[position] == .name(name) }

    mutating func take(_ sign: String) -> Bool {
        guard peek(sign) else { return false }
        position += 1
        return true
    }

    mutating func take(name: String) -> Bool {
        guard peek(name: name) else { return false }
        position += 1
        return true
    }

    mutating func expect(_ sign: String) throws {
        guard take(sign) else { throw syntax("expected '\(sign)' in expression") }
    }

    private func expectEnd() throws {
        guard tokens[position] == .end else { throw syntax("invalid syntax in expression") }
    }

    // MARK: Bounds

    mutating func nested<Result>(
        _ body: (inout ExpressionParser) throws -> Result
    ) throws -> Result {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= Self.maximumNesting else { throw syntax("expression nested too deeply") }
        return try body(&self)
    }

    func make(_ node: ExpressionNode, over terms: [Term], height: Int = 0) throws -> Term {
        let height = 1 + terms.reduce(height) { max($0, $1.height) }
        guard height <= Self.maximumHeight else { throw syntax("expression nested too deeply") }
        return Term(node: node, height: height)
    }

    func syntax(_ message: String) -> TemplateError { TemplateError(.syntax, message) }
}
