/// A function that templates can call: `{{ shout(name) }}`, `{% apply shout %}...{% end %}` (TPL-10, TPL-21).
///
/// It runs synchronously: a template never waits. What has to be awaited is awaited before the render (TPL-22).
public final class TemplateFunction: Sendable {
    /// How a call is carried out.
    enum Body: Sendable {
        case closure(@Sendable (TemplateArguments) throws -> TemplateValue)
        case builtin(Builtin)
        /// A function of the render's environment, which need not be Sendable and is found by its name.
        case environment(String)
        /// A UI module of the render's environment.
        case module(String)
    }

    let body: Body

    /// A function. It may throw `TemplateError` with a message, which a template's `try` can catch; any other
    /// error ends the render.
    public init(_ body: @escaping @Sendable (TemplateArguments) throws -> TemplateValue) {
        self.body = .closure(body)
    }

    /// A function of one string, as filters are.
    public static func text(_ body: @escaping @Sendable (String) throws -> String) -> TemplateFunction {
        TemplateFunction { arguments in .string(try body(arguments.string(0))) }
    }

    init(body: Body) { self.body = body }
}

/// An object that answers for its members when asked, instead of being converted as a whole.
public protocol TemplateObject: AnyObject, Sendable {
    /// The value of `object.name`, or nil when there is none: the render fails naming file and line.
    func member(_ name: String) throws -> TemplateValue?
    /// What `{{ object }}` prints, or nil when printing it is a mistake.
    var templateText: String? { get }
}

extension TemplateObject {
    /// Nil: objects can't be printed unless they say how.
    public var templateText: String? { nil }
}

/// The arguments of a call.
public struct TemplateArguments: Sendable {
    /// The arguments without a name, in order.
    public let positional: [TemplateValue]
    /// The arguments given as `name=value`.
    public let keywords: [String: TemplateValue]

    /// Arguments, for calling a function from Swift.
    public init(_ positional: [TemplateValue] = [], keywords: [String: TemplateValue] = [:]) {
        self.positional = positional
        self.keywords = keywords
    }

    /// How many arguments there are, both kinds.
    public var count: Int { positional.count + keywords.count }

    /// The argument at a place, or under a name; nil when it wasn't given.
    public func value(_ index: Int, _ name: String? = nil) -> TemplateValue? {
        if positional.indices.contains(index) { return positional[index] }
        return name.flatMap { keywords[$0] }
    }

    /// The argument at a place or under a name. Throws when it is missing.
    public func required(_ index: Int, _ name: String? = nil) throws -> TemplateValue {
        guard let value = value(index, name) else {
            throw TemplateError(.type, "missing argument \(name.map { "'\($0)'" } ?? String(index + 1))")
        }
        return value
    }

    /// The text of an argument; numbers and booleans are printed, none is "". Throws for what has no text.
    public func string(_ index: Int, _ name: String? = nil) throws -> String {
        try required(index, name).printed()
    }

    /// An integer argument, or the default when it wasn't given. Throws for another kind.
    public func int(_ index: Int, _ name: String? = nil, default fallback: Int? = nil) throws -> Int {
        if value(index, name) == nil, let fallback { return fallback }
        switch try required(index, name) {
        case .int(let number): return number
        case .bool(let flag): return flag ? 1 : 0
        case let other: throw TemplateError(.type, "expected an int, not \(other.kindName)")
        }
    }

    /// The truth of an argument, or the default when it wasn't given.
    public func bool(_ index: Int, _ name: String? = nil, default fallback: Bool = false) -> Bool {
        value(index, name)?.isTrue ?? fallback
    }
}
