/// Literals, names and what stands in brackets.
extension ExpressionParser {
    /// Words that can't be names. Some mean nothing here, but would in Python.
    static let reserved: Set<String> = [
        "if", "else", "for", "in", "and", "or", "not", "is", "lambda", "None", "True", "False", "none", "true",
        "false", "import", "from", "def", "class", "while", "try", "except", "return", "yield", "await",
    ]

    mutating func primary() throws -> Term {
        switch advance() {
        case .int(let value): return Term(node: .literal(.int(value)), height: 1)
        case .double(let value): return Term(node: .literal(.double(value)), height: 1)
        case .string(var text):
            // Neighbouring literals are one literal, as in Python.
            while case .string(let more) = tokens[position] {
                text += more
                position += 1
            }
            return Term(node: .literal(.string(text)), height: 1)
        case .name(let name): return Term(node: try named(name), height: 1)
        case .symbol("("):
            return try nested { parser in
                if parser.take(")") { return Term(node: .list([]), height: 1) }
                var term = try parser.tuple()
                if parser.peek(name: "for") { term = try parser.comprehension(of: term) }
                try parser.expect(")")
                return term
            }
        case .symbol("["): return try nested { try $0.listLiteral() }
        case .symbol("{"): return try nested { try $0.mapLiteral() }
        case .symbol(let sign): throw syntax("unexpected '\(sign)' in expression")
        case .end: throw syntax("unexpected end of expression")
        }
    }

    private mutating func named(_ name: String) throws -> ExpressionNode {
        switch name {
        case "None", "none": return .literal(.none)
        case "True", "true": return .literal(.bool(true))
        case "False", "false": return .literal(.bool(false))
        default:
            guard !Self.reserved.contains(name) else { throw syntax("unexpected '\(name)' in expression") }
            return .name(symbols.number(of: name))
        }
    }

    private mutating func listLiteral() throws -> Term {
        var terms: [Term] = []
        while !take("]") {
            terms.append(try conditional())
            if terms.count == 1, peek(name: "for") {
                let term = try comprehension(of: terms[0])
                try expect("]")
                return term
            }
            guard take(",") else {
                try expect("]")
                break
            }
        }
        return try make(.list(terms.map(\.node)), over: terms)
    }

    private mutating func mapLiteral() throws -> Term {
        var terms: [Term] = []
        var entries: [MapEntryNode] = []
        while !take("}") {
            let key = try conditional()
            try expect(":")
            let value = try conditional()
            terms += [key, value]
            entries.append(MapEntryNode(key: key.node, value: value.node))
            guard take(",") else {
                try expect("}")
                break
            }
        }
        return try make(.map(entries), over: terms)
    }

    mutating func comprehension(of element: Term) throws -> Term {
        position += 1
        let target = try targets()
        guard take(name: "in") else { throw syntax("comprehension without 'in'") }
        let source = try disjunction()
        var conditions: [Term] = []
        while take(name: "if") { conditions.append(try disjunction()) }
        if peek(name: "for") { throw syntax("a comprehension has one 'for' only") }
        let node = ComprehensionNode(
            element: element.node, target: target, source: source.node, conditions: conditions.map(\.node))
        return try make(.comprehension(node), over: [element, source] + conditions)
    }
}
