/// A value that a template can see (TPL-23).
///
/// Templates reach nothing but these cases: there is no reflection and no way from a value to the object it came
/// from. Literals work, so `["name": "Ann", "age": 4]` is a map.
public enum TemplateValue: Sendable {
    /// Absence. Prints as nothing; Tornado prints `None`.
    case none
    /// Prints as `True` or `False`, as in Tornado.
    case bool(Bool)
    /// A 64-bit integer. Arithmetic that leaves the range is an error.
    case int(Int)
    /// A floating-point number.
    case double(Double)
    /// Text, escaped where it is printed.
    case string(String)
    /// Markup that is safe as it stands: printed without escaping (`escape`, `linkify`, UI modules give it).
    case html(String)
    /// A list.
    case list(TemplateList)
    /// A map with string keys.
    case map(TemplateMap)
    /// Something to call.
    case function(TemplateFunction)
    /// A host object that answers for its members one by one.
    case object(any TemplateObject)

    /// Python's rule: empty text, empty containers, zero, false and none are false.
    public var isTrue: Bool {
        switch self {
        case .none: false
        case .bool(let flag): flag
        case .int(let number): number != 0
        case .double(let number): number != 0
        case .string(let text), .html(let text): !text.isEmpty
        case .list(let list): !list.isEmpty
        case .map(let map): !map.isEmpty
        case .function, .object: true
        }
    }

    /// The text of a string or of safe markup, nil for anything else.
    public var text: String? {
        switch self {
        case .string(let text), .html(let text): text
        default: nil
        }
    }

    /// The name of the kind, for error messages.
    var kindName: String {
        switch self {
        case .none: "none"
        case .bool: "bool"
        case .int: "int"
        case .double: "float"
        case .string, .html: "string"
        case .list: "list"
        case .map: "map"
        case .function: "function"
        case .object: "object"
        }
    }

    /// How many containers lie within each other in this value; plain values count 0.
    var nesting: Int {
        switch self {
        case .list(let list): list.nesting
        case .map(let map): map.nesting
        default: 0
        }
    }
}

extension TemplateValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
    ExpressibleByStringInterpolation
{
    /// A `.string`.
    public init(stringLiteral value: String) { self = .string(value) }
    /// An `.int`.
    public init(integerLiteral value: Int) { self = .int(value) }
    /// A `.double`.
    public init(floatLiteral value: Double) { self = .double(value) }
    /// A `.bool`.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// `.none`.
    public init(nilLiteral: ()) { self = .none }
    /// A `.list`.
    public init(arrayLiteral elements: TemplateValue...) { self = .list(TemplateList(elements)) }
    /// A `.map` that keeps the order; of two equal keys the later wins.
    public init(dictionaryLiteral elements: (String, TemplateValue)...) { self = .map(TemplateMap(pairs: elements)) }
}
