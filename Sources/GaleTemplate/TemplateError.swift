/// What went wrong in a template, and where (TPL-18, TPL-19).
///
/// `description` reads `<message> at <file>:<line>`; an error inside an included file or a replaced block names
/// its callers too: `... at c.html:1 (via b.html:1, a.html:1)`.
///
/// A registered function reports trouble by throwing `TemplateError("text")`: the renderer adds the place, and
/// `{% except %}` can catch it. Any other Swift error that a function throws ends the render; it is then found in
/// `underlying`, so that a caller can still tell, for example, an HTTP error from a defect.
public struct TemplateError: Error, Sendable, CustomStringConvertible {
    /// The sort of an error. `{% except Name %}` selects by the names that Tornado's users know.
    public enum Kind: String, Sendable {
        /// The template's text is malformed. Only thrown while compiling.
        case syntax
        /// A template that was named does not exist or may not be read.
        case notFound
        /// A name is not defined.
        case name
        /// A map has no such key.
        case key
        /// A list or string has no such index.
        case index
        /// A value has no such member.
        case attribute
        /// A value is of the wrong kind for what is done with it.
        case type
        /// A value is of the right kind but unusable.
        case value
        /// Division by zero.
        case zeroDivision
        /// An integer left its 64 bits.
        case overflow
        /// A bound of `TemplateLimits` was passed. Never caught by `{% except %}`.
        case limit
        /// A registered function reported an error.
        case runtime
        /// A registered function threw something else; see `underlying`. Never caught by `{% except %}`.
        case foreign
    }

    /// A line of a template file.
    public struct Position: Sendable, Hashable, CustomStringConvertible {
        /// The template's name.
        public let file: String
        /// The line, counted from 1.
        public let line: Int

        /// A line of a template file.
        public init(file: String, line: Int) {
            self.file = file
            self.line = line
        }

        /// `file:line`.
        public var description: String { "\(file):\(line)" }
    }

    /// The sort of the error.
    public let kind: Kind
    /// The text without its place.
    public let message: String
    /// Where it happened; nil until the compiler or the renderer has filled it in.
    public internal(set) var position: Position?
    /// The including lines, innermost first (TPL-19).
    public internal(set) var via: [Position]
    /// What a registered function threw, when that was no `TemplateError`.
    public let underlying: (any Error)?

    /// An error without a place, to be thrown by a registered function.
    public init(_ message: String, kind: Kind = .runtime) {
        self.init(kind, message)
    }

    init(_ kind: Kind, _ message: String, at position: Position? = nil, underlying: (any Error)? = nil) {
        self.kind = kind
        self.message = message
        self.position = position
        self.via = []
        self.underlying = underlying
    }

    /// The template that holds the offending line, or "" when the error has no place yet.
    public var file: String { position?.file ?? "" }
    /// The offending line, or 0 when the error has no place yet.
    public var line: Int { position?.line ?? 0 }

    /// `<message> at <file>:<line>`, with the including lines in brackets.
    public var description: String {
        guard let position else { return message }
        guard !via.isEmpty else { return "\(message) at \(position)" }
        let chain = via.map(\.description).joined(separator: ", ")
        return "\(message) at \(position) (via \(chain))"
    }

    /// Whether `{% except %}` may catch this error at all.
    var isCatchable: Bool {
        switch kind {
        case .limit, .foreign, .syntax, .notFound: false
        default: true
        }
    }

    /// Whether `{% except name %}` means this error; nil when the name is none that templates know.
    func matches(exceptionName: String) -> Bool? {
        guard let kinds = Self.exceptionNames[exceptionName] else { return nil }
        return kinds.isEmpty || kinds.contains(kind)
    }

    /// Names for `{% except %}`; an empty list means every catchable error.
    static let exceptionNames: [String: [Kind]] = [
        "Exception": [], "TemplateError": [],
        "NameError": [.name], "KeyError": [.key], "IndexError": [.index], "LookupError": [.key, .index],
        "AttributeError": [.attribute], "TypeError": [.type], "ValueError": [.value],
        "ZeroDivisionError": [.zeroDivision], "OverflowError": [.overflow],
        "ArithmeticError": [.zeroDivision, .overflow], "RuntimeError": [.runtime],
    ]
}
