/// Cuts a template into text, expressions and directives (TPL-01..04).
struct Lexer {
    /// A piece of a template, with the line on which it begins.
    enum Token {
        case text(ArraySlice<UInt8>)
        case expression(ArraySlice<UInt8>, line: Int)
        case directive(ArraySlice<UInt8>, line: Int)
        case end
    }

    private let source: [UInt8]
    private let file: String
    private var position = 0
    private var line = 1
    /// A tag whose text before it has been handed out already.
    private var pendingTag = false
    /// The line behind the last tag. A block that is never closed is reported there, as Tornado does.
    private(set) var lineAfterTag = 1

    init(_ source: String, file: String) {
        self.source = Array(source.utf8)
        self.file = file
    }

    /// The next piece. Comments never come out. Throws for a tag without its end or its content.
    mutating func next() throws -> Token {
        while true {
            if !pendingTag {
                let tag = nextTag()
                pendingTag = tag < source.count
                if tag > position { return .text(consume(to: tag)) }
            }
            guard pendingTag else { return .end }
            pendingTag = false
            if let token = try readTag() { return token }
        }
    }

    /// Where the next `{{`, `{%` or `{#` begins; of a longer row of braces the last two count (TPL-04).
    private func nextTag() -> Int {
        var index = position
        while index + 1 < source.count {
            guard source[index] == UInt8(ascii: "{") else {
                index += 1
                continue
            }
            switch source[index + 1] {
            case UInt8(ascii: "%"), UInt8(ascii: "#"): return index
            case UInt8(ascii: "{"):
                if index + 2 < source.count, source[index + 2] == UInt8(ascii: "{") { index += 1 } else { return index }
            default: index += 1
            }
        }
        return source.count
    }

    private mutating func consume(to end: Int) -> ArraySlice<UInt8> {
        let slice = source[position..<end]
        for byte in slice where byte == UInt8(ascii: "\n") { line += 1 }
        position = end
        return slice
    }

    /// Reads the tag at `position`; nil for a comment.
    private mutating func readTag() throws -> Token? {
        let start = position
        let startLine = line
        let kind = source[position + 1]
        position += 2
        defer { lineAfterTag = line }
        if position < source.count, source[position] == UInt8(ascii: "!") {
            position += 1
            return .text(source[start..<(start + 2)])
        }
        switch kind {
        case UInt8(ascii: "#"):
            _ = try content(closing: UInt8(ascii: "#"), orFail: "Missing end comment #}")
            return nil
        case UInt8(ascii: "{"):
            let content = try content(closing: UInt8(ascii: "}"), orFail: "Missing end expression }}")
            guard !content.isEmpty else { throw failure("Empty expression") }
            return .expression(content, line: startLine)
        default:
            let content = try content(closing: UInt8(ascii: "%"), orFail: "Missing end block %}")
            guard !content.isEmpty else { throw failure("Empty block tag ({% %})") }
            return .directive(content, line: startLine)
        }
    }

    /// The trimmed bytes up to the first `closing` + `}`, string literals or not (TPL-01).
    private mutating func content(closing: UInt8, orFail message: String) throws -> ArraySlice<UInt8> {
        var index = position
        while index + 1 < source.count {
            if source[index] == closing, source[index + 1] == UInt8(ascii: "}") {
                let content = consume(to: index)
                position += 2
                return content.trimmed
            }
            index += 1
        }
        throw failure(message)
    }

    private func failure(_ message: String) -> TemplateError {
        TemplateError(.syntax, message, at: .init(file: file, line: line))
    }
}
