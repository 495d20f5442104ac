/// An expression of the template language (TPL-23), parsed. Names are numbers within their file's symbol table.
///
/// Rows of operators of one rank are kept flat, so that a long sum is a long list and not a deep tree.
indirect enum ExpressionNode: Sendable {
    case literal(TemplateValue)
    case name(Int)
    case member(ExpressionNode, String)
    case index(ExpressionNode, ExpressionNode)
    case slice(ExpressionNode, from: ExpressionNode?, to: ExpressionNode?)
    case call(ExpressionNode, [ArgumentNode])
    case method(ExpressionNode, String, [ArgumentNode])
    case list([ExpressionNode])
    case map([MapEntryNode])
    case negate(ExpressionNode)
    case plus(ExpressionNode)
    case not(ExpressionNode)
    case arithmetic(ExpressionNode, [OperationNode])
    case comparison(ExpressionNode, [ComparisonNode])
    case and([ExpressionNode])
    case or([ExpressionNode])
    case conditional(test: ExpressionNode, then: ExpressionNode, otherwise: ExpressionNode)
    case comprehension(ComprehensionNode)
}

/// An argument of a call, with its keyword if it has one.
struct ArgumentNode: Sendable {
    let keyword: String?
    let value: ExpressionNode
}

/// `key: value` in a map literal.
struct MapEntryNode: Sendable {
    let key: ExpressionNode
    let value: ExpressionNode
}

/// An operator and what stands to its right.
struct OperationNode: Sendable {
    let operation: ArithmeticOperator
    let operand: ExpressionNode
}

/// A comparison and what stands to its right; `a < b < c` has two.
struct ComparisonNode: Sendable {
    let operation: ComparisonOperator
    let operand: ExpressionNode
}

/// `[element for target in source if condition]`.
struct ComprehensionNode: Sendable {
    let element: ExpressionNode
    let target: Target
    let source: ExpressionNode
    let conditions: [ExpressionNode]
}

/// What an assignment or a loop writes to: a name, or names to spread a list over.
indirect enum Target: Sendable {
    case name(Int)
    case list([Target])

    /// The symbols that are written.
    var symbols: [Int] {
        switch self {
        case .name(let symbol): [symbol]
        case .list(let targets): targets.flatMap(\.symbols)
        }
    }
}

/// Arithmetic, ranked as in Python.
enum ArithmeticOperator: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case floorDivide = "//"
    case remainder = "%"
}

/// Comparisons, all of one rank, chained as in Python.
enum ComparisonOperator: String, Sendable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case contained = "in"
    case notContained = "not in"
    case identical = "is"
    case notIdentical = "is not"
}

/// The names of one file, numbered, so that the renderer finds a variable by index.
struct SymbolTable: Sendable {
    private(set) var names: [String] = []
    private var numbers: [String: Int] = [:]

    /// The number of a name.
    mutating func number(of name: String) -> Int {
        if let number = numbers[name] { return number }
        numbers[name] = names.count
        names.append(name)
        return names.count - 1
    }
}
