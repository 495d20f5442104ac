/// A piece of a parsed template.
struct Statement: Sendable {
    let line: Int
    let kind: Kind

    /// What a piece does.
    enum Kind: Sendable {
        case text([UInt8])
        case output(ExpressionNode, isRaw: Bool)
        case module(String, [ArgumentNode])
        case conditional([Branch], otherwise: [Statement])
        case forLoop(target: Target, source: ExpressionNode, body: [Statement], otherwise: [Statement])
        case whileLoop(test: ExpressionNode, body: [Statement], otherwise: [Statement])
        case breakLoop
        case continueLoop
        case attempt(Attempt)
        case set(Target, ArithmeticOperator?, ExpressionNode)
        case apply(ExpressionNode, body: [Statement])
        /// A block, by its number in the file.
        case block(Int)
        /// An included file, by the number of the directive in the file.
        case include(Int)
    }

    /// `if` or `elif` with its body.
    struct Branch: Sendable {
        let test: ExpressionNode
        let line: Int
        let body: [Statement]
    }

    /// A `try` with its parts.
    struct Attempt: Sendable {
        var body: [Statement] = []
        var handlers: [Handler] = []
        var otherwise: [Statement] = []
        var finally: [Statement] = []
    }

    /// An `except` with its body. No names means any error.
    struct Handler: Sendable {
        let names: [String]
        let variable: Int?
        let body: [Statement]
    }
}

/// The escaping of one file (TPL-15).
enum Autoescape: Sendable {
    case off
    case html
    case function(ExpressionNode)
}

/// A template's text, parsed but not yet joined with the files it extends and includes. Shared between all
/// templates that use the file.
final class ParsedFile: Sendable {
    /// A named block (TPL-11).
    struct Block: Sendable {
        let name: String
        let line: Int
        var body: [Statement]
    }

    /// A file that this one names.
    struct Reference: Sendable {
        let path: String
        let line: Int
    }

    /// Blocks and includes in the order in which they begin, nested ones behind their parents.
    enum OutlineItem: Sendable {
        case block(Int)
        case include(Int)
    }

    /// The parts of a file, collected while parsing.
    struct Parts: Sendable {
        var body: [Statement] = []
        var symbols = SymbolTable()
        var blocks: [Block] = []
        var includes: [Reference] = []
        var outline: [OutlineItem] = []
        var extends: Reference?
        var autoescape = Autoescape.html
    }

    let name: String
    let parts: Parts

    init(name: String, parts: Parts) {
        self.name = name
        self.parts = parts
    }
}
