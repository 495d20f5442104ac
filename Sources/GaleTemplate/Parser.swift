/// Parses one file into statements. Knows nothing of other files: joining them is the linker's work.
struct Parser {
    /// How a body ended.
    enum Terminator {
        case end
        case intermediate(operator: String, suffix: ArraySlice<UInt8>, line: Int)
    }

    /// What encloses a body.
    struct Enclosure {
        var block: String?
        var isInLoop = false
        var depth = 0

        /// The same one level deeper.
        func within(_ block: String, isInLoop: Bool) -> Enclosure {
            Enclosure(block: block, isInLoop: isInLoop, depth: depth + 1)
        }
    }

    /// Nesting of blocks in one file is bounded, since parser and renderer recurse over it.
    static let maximumDepth = 60

    static let intermediates: [String: [String]] = [
        "else": ["for", "if", "try", "while"], "elif": ["if"], "except": ["try"], "finally": ["try"],
    ]

    let file: String
    var lexer: Lexer
    var whitespace: WhitespaceMode
    var parts = ParsedFile.Parts()

    private init(_ source: String, name: String, options: TemplateOptions) throws {
        file = name
        lexer = Lexer(source, file: name)
        whitespace = options.whitespace ?? .standard(forFile: name)
        parts.autoescape = try autoescape(options.autoescape.map { Array($0.utf8)[...] }, line: 1)
    }

    /// The parsed file. Throws `TemplateError` of kind `.syntax`.
    static func parse(_ source: String, name: String, options: TemplateOptions) throws -> ParsedFile {
        var parser = try Parser(source, name: name, options: options)
        let (body, _) = try parser.parseBody(Enclosure())
        parser.parts.body = body
        return ParsedFile(name: name, parts: parser.parts)
    }

    // MARK: Bodies

    /// Statements up to the end of the file, `{% end %}` or a directive like `{% else %}` that splits the block.
    mutating func parseBody(_ enclosure: Enclosure) throws -> ([Statement], Terminator) {
        guard enclosure.depth <= Self.maximumDepth else {
            throw syntax("blocks nested too deeply", line: lexer.lineAfterTag)
        }
        var body = Body()
        while true {
            switch try lexer.next() {
            case .text(let bytes): body.pending += whitespace.filter(bytes)
            case .expression(let content, let line):
                let node = try expression(content, line: line)
                body.append(Statement(line: line, kind: .output(node, isRaw: false)))
            case .directive(let content, let line):
                let (name, suffix) = Self.split(content)
                if let terminator = try terminator(name, suffix, line: line, in: enclosure) {
                    return (body.finished(line: line), terminator)
                }
                if let statement = try parseDirective(name, suffix, line: line, in: enclosure) {
                    body.append(statement)
                }
            case .end:
                if let block = enclosure.block {
                    throw syntax("Missing {% end %} block for \(block)", line: lexer.lineAfterTag)
                }
                return (body.finished(line: lexer.lineAfterTag), .end)
            }
        }
    }

    /// Statements being collected. Neighbouring texts become one: comments and settings leave gaps between them.
    private struct Body {
        private var statements: [Statement] = []
        var pending: [UInt8] = []

        mutating func append(_ statement: Statement) {
            flush(line: statement.line)
            statements.append(statement)
        }

        mutating func finished(line: Int) -> [Statement] {
            flush(line: line)
            return statements
        }

        private mutating func flush(line: Int) {
            guard !pending.isEmpty else { return }
            statements.append(Statement(line: line, kind: .text(pending)))
            pending = []
        }
    }

    /// The operator up to the first white space, and the rest.
    private static func split(_ content: ArraySlice<UInt8>) -> (String, ArraySlice<UInt8>) {
        let end = content.firstIndex(where: \.isTemplateSpace) ?? content.endIndex
        return (content[..<end].string, content[end...].trimmed)
    }

    private func terminator(
        _ name: String, _ suffix: ArraySlice<UInt8>, line: Int, in enclosure: Enclosure
    ) throws -> Terminator? {
        if name == "end" {
            guard enclosure.block != nil else { throw syntax("Extra {% end %} block", line: line) }
            return .end
        }
        guard let allowed = Self.intermediates[name] else { return nil }
        guard let block = enclosure.block else {
            throw syntax("\(name) outside \(Self.set(allowed)) block", line: line)
        }
        guard allowed.contains(block) else {
            throw syntax("\(name) block cannot be attached to \(block) block", line: line)
        }
        return .intermediate(operator: name, suffix: suffix, line: line)
    }

    /// The names as Tornado prints them, which is how Python prints a set.
    static func set(_ names: [String]) -> String {
        "{" + names.map { "'\($0)'" }.joined(separator: ", ") + "}"
    }

    // MARK: Expressions

    /// Runs an expression parser on a directive's text, sharing the file's names and adding the place to errors.
    mutating func parse<Result>(
        _ source: ArraySlice<UInt8>, line: Int, _ body: (inout ExpressionParser) throws -> Result
    ) throws -> Result {
        do {
            // The table is moved out and back: a second reference would have it copied at each new name.
            var table = SymbolTable()
            swap(&table, &parts.symbols)
            var parser = try ExpressionParser(source, symbols: consume table)
            let result = try body(&parser)
            parts.symbols = parser.symbols
            return result
        } catch let error as TemplateError {
            throw syntax(error.message, line: line)
        }
    }

    mutating func expression(_ source: ArraySlice<UInt8>, line: Int) throws -> ExpressionNode {
        try parse(source, line: line) { try $0.parseExpression() }
    }

    /// The escaping that a name stands for. The two standard names are fixed: a value that happens to be called
    /// `escape` must not be able to switch escaping off.
    mutating func autoescape(_ name: ArraySlice<UInt8>?, line: Int) throws -> Autoescape {
        guard let name, name.string != "None" else { return .off }
        switch name.string {
        case "xhtml_escape", "escape": return .html
        default: return .function(try expression(name, line: line))
        }
    }

    func syntax(_ message: String, line: Int) -> TemplateError {
        TemplateError(.syntax, message, at: .init(file: file, line: line))
    }
}
