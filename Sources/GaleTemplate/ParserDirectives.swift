/// The directives, one function each kind.
extension Parser {
    /// The statement of a directive; nil for those that only change how the file is read.
    mutating func parseDirective(
        _ name: String, _ suffix: ArraySlice<UInt8>, line: Int, in enclosure: Enclosure
    ) throws -> Statement? {
        switch name {
        case "comment": return nil
        case "extends", "autoescape", "whitespace", "import", "from":
            try parseSetting(name, suffix, line: line, in: enclosure)
            return nil
        case "break", "continue":
            guard enclosure.isInLoop else {
                throw syntax("\(name) outside \(Self.set(["for", "while"])) block", line: line)
            }
            return Statement(line: line, kind: name == "break" ? .breakLoop : .continueLoop)
        default:
            if let kind = try parseSimple(name, suffix, line: line) { return Statement(line: line, kind: kind) }
            guard let kind = try parseBlock(name, suffix, line: line, in: enclosure) else {
                throw syntax("unknown operator: \(TemplateValue.quoted(name))", line: line)
            }
            return Statement(line: line, kind: kind)
        }
    }

    /// Directives that set something for the file.
    private mutating func parseSetting(
        _ name: String, _ suffix: ArraySlice<UInt8>, line: Int, in enclosure: Enclosure
    ) throws {
        switch name {
        case "extends":
            let path = Self.unquoted(suffix)
            guard !path.isEmpty else { throw syntax("extends missing file path", line: line) }
            guard enclosure.block == nil else { throw syntax("extends inside a block", line: line) }
            guard parts.extends == nil else { throw syntax("extends given twice", line: line) }
            parts.extends = .init(path: path, line: line)
        case "autoescape":
            guard !suffix.isEmpty else { throw syntax("autoescape missing function", line: line) }
            parts.autoescape = try autoescape(suffix, line: line)
        case "whitespace":
            guard let mode = WhitespaceMode(rawValue: suffix.string) else {
                throw syntax("invalid whitespace mode \(suffix.string)", line: line)
            }
            whitespace = mode
        default:
            guard !suffix.isEmpty else { throw syntax("import missing statement", line: line) }
            throw syntax("\(name) is not supported: register functions on the loader", line: line)
        }
    }

    /// Directives without a body.
    private mutating func parseSimple(
        _ name: String, _ suffix: ArraySlice<UInt8>, line: Int
    ) throws -> Statement.Kind? {
        switch name {
        case "include":
            let path = Self.unquoted(suffix)
            guard !path.isEmpty else { throw syntax("include missing file path", line: line) }
            parts.includes.append(.init(path: path, line: line))
            parts.outline.append(.include(parts.includes.count - 1))
            return .include(parts.includes.count - 1)
        case "set":
            guard !suffix.isEmpty else { throw syntax("set missing statement", line: line) }
            let (target, operation, value) = try parse(suffix, line: line) { try $0.parseAssignment() }
            return .set(target, operation, value)
        case "raw":
            return .output(try expression(suffix, line: line), isRaw: true)
        case "module":
            let (module, arguments) = try parse(suffix, line: line) { try $0.parseModuleCall() }
            return .module(module, arguments)
        default: return nil
        }
    }

    /// Directives with a body and an `{% end %}`.
    private mutating func parseBlock(
        _ name: String, _ suffix: ArraySlice<UInt8>, line: Int, in enclosure: Enclosure
    ) throws -> Statement.Kind? {
        switch name {
        case "if": return try parseIf(suffix, line: line, in: enclosure)
        case "for", "while": return try parseLoop(name, suffix, line: line, in: enclosure)
        case "try": return try parseTry(in: enclosure)
        case "apply":
            let (body, _) = try parseBody(enclosure.within("apply", isInLoop: false))
            guard !suffix.isEmpty else { throw syntax("apply missing method name", line: line) }
            return .apply(try expression(suffix, line: line), body: body)
        case "block":
            let number = parts.blocks.count
            parts.blocks.append(.init(name: suffix.string, line: line, body: []))
            parts.outline.append(.block(number))
            let (body, _) = try parseBody(enclosure.within("block", isInLoop: enclosure.isInLoop))
            guard !suffix.isEmpty else { throw syntax("block missing name", line: line) }
            parts.blocks[number].body = body
            return .block(number)
        default: return nil
        }
    }

    private mutating func parseIf(
        _ suffix: ArraySlice<UInt8>, line: Int, in enclosure: Enclosure
    ) throws -> Statement.Kind {
        var branches: [Statement.Branch] = []
        var (condition, conditionLine) = (suffix, line)
        let inside = enclosure.within("if", isInLoop: enclosure.isInLoop)
        while true {
            let test = try expression(condition, line: conditionLine)
            let (body, terminator) = try parseBody(inside)
            branches.append(.init(test: test, line: conditionLine, body: body))
            switch terminator {
            case .end: return .conditional(branches, otherwise: [])
            case .intermediate("elif", let suffix, let line): (condition, conditionLine) = (suffix, line)
            case .intermediate(let name, let suffix, let line):
                let otherwise = try parseLastPart(name, suffix, line: line, inside)
                return .conditional(branches, otherwise: otherwise)
            }
        }
    }

    private mutating func parseLoop(
        _ name: String, _ suffix: ArraySlice<UInt8>, line: Int, in enclosure: Enclosure
    ) throws -> Statement.Kind {
        let head = name == "for" ? try parse(suffix, line: line) { try $0.parseLoopHead() } : nil
        let test = name == "while" ? try expression(suffix, line: line) : .literal(.none)
        let (body, terminator) = try parseBody(enclosure.within(name, isInLoop: true))
        var otherwise: [Statement] = []
        if case .intermediate(let part, let suffix, let line) = terminator {
            // The else of a loop stands behind it: a break in it would end the loop around.
            let inside = enclosure.within(name, isInLoop: enclosure.isInLoop)
            otherwise = try parseLastPart(part, suffix, line: line, inside)
        }
        if let (target, source) = head {
            return .forLoop(target: target, source: source, body: body, otherwise: otherwise)
        }
        return .whileLoop(test: test, body: body, otherwise: otherwise)
    }

    /// The body behind the last `else`, which must be closed by `end`.
    private mutating func parseLastPart(
        _ name: String, _ suffix: ArraySlice<UInt8>, line: Int, _ inside: Enclosure
    ) throws -> [Statement] {
        guard suffix.isEmpty else { throw syntax("\(name) takes nothing behind it", line: line) }
        let (body, terminator) = try parseBody(inside)
        if case .intermediate(let next, _, let line) = terminator {
            throw syntax("\(next) after \(name)", line: line)
        }
        return body
    }

    private mutating func parseTry(in enclosure: Enclosure) throws -> Statement.Kind {
        let inside = enclosure.within("try", isInLoop: enclosure.isInLoop)
        let startLine = lexer.lineAfterTag
        var attempt = Statement.Attempt()
        var previous = "try"
        var (body, terminator) = try parseBody(inside)
        attempt.body = body
        while case .intermediate(let name, let suffix, let line) = terminator {
            guard Self.order(name) >= Self.order(previous), name == "except" || name != previous,
                name != "else" || previous == "except"
            else { throw syntax("\(name) after \(previous)", line: line) }
            guard name == "except" || suffix.isEmpty else {
                throw syntax("\(name) takes nothing behind it", line: line)
            }
            if name == "except", previous == "except", attempt.handlers.last?.names.isEmpty == true {
                throw syntax("except after one that catches everything", line: line)
            }
            let (names, variable) =
                suffix.isEmpty ? ([], nil) : try parse(suffix, line: line) { try $0.parseExceptHead() }
            (body, terminator) = try parseBody(inside)
            switch name {
            case "except": attempt.handlers.append(.init(names: names, variable: variable, body: body))
            case "else": attempt.otherwise = body
            default: attempt.finally = body
            }
            previous = name
        }
        guard previous != "try" else { throw syntax("try without except or finally", line: startLine) }
        return .attempt(attempt)
    }

    /// The place of a part in a `try`.
    private static func order(_ name: String) -> Int {
        ["try", "except", "else", "finally"].firstIndex(of: name) ?? 0
    }

    /// A path without quotes around it.
    private static func unquoted(_ path: ArraySlice<UInt8>) -> String {
        var slice = path
        for quote in [UInt8(ascii: "\""), UInt8(ascii: "'")] {
            while slice.first == quote { slice.removeFirst() }
            while slice.last == quote { slice.removeLast() }
        }
        return slice.string
    }
}
