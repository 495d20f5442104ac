/// A Swift value that templates can be given (TPL-23): what it converts to is all they see of it.
///
/// ```swift
/// extension User: TemplateConvertible {
///     var templateValue: TemplateValue { ["name": .string(name), "age": .int(age)] }
/// }
/// ```
///
/// A value given to `render` is converted when the template first uses its name, at most once a render.
public protocol TemplateConvertible {
    /// The value that templates see.
    var templateValue: TemplateValue { get }
}

extension TemplateValue: TemplateConvertible {
    /// Itself.
    public var templateValue: TemplateValue { self }

    /// The value of anything convertible.
    public init(_ value: any TemplateConvertible) { self = value.templateValue }
}

extension String: TemplateConvertible {
    /// A `.string`.
    public var templateValue: TemplateValue { .string(self) }
}

extension Substring: TemplateConvertible {
    /// A `.string`.
    public var templateValue: TemplateValue { .string(String(self)) }
}

extension Bool: TemplateConvertible {
    /// A `.bool`.
    public var templateValue: TemplateValue { .bool(self) }
}

extension Double: TemplateConvertible {
    /// A `.double`.
    public var templateValue: TemplateValue { .double(self) }
}

extension Float: TemplateConvertible {
    /// A `.double`.
    public var templateValue: TemplateValue { .double(Double(self)) }
}

extension Int: TemplateConvertible {
    /// An `.int`.
    public var templateValue: TemplateValue { .int(self) }
}

extension Int32: TemplateConvertible {
    /// An `.int`.
    public var templateValue: TemplateValue { .int(Int(self)) }
}

extension Int64: TemplateConvertible {
    /// An `.int`.
    public var templateValue: TemplateValue { .int(Int(self)) }
}

extension UInt32: TemplateConvertible {
    /// An `.int`.
    public var templateValue: TemplateValue { .int(Int(self)) }
}

extension Optional: TemplateConvertible where Wrapped: TemplateConvertible {
    /// The value of what is wrapped, or `.none`.
    public var templateValue: TemplateValue {
        switch self {
        case .some(let value): value.templateValue
        case .none: TemplateValue.none
        }
    }
}

extension Array: TemplateConvertible where Element: TemplateConvertible {
    /// A `.list`.
    public var templateValue: TemplateValue { .list(TemplateList(map(\.templateValue))) }
}

extension Dictionary: TemplateConvertible where Key == String, Value: TemplateConvertible {
    /// A `.map`, ordered by key.
    public var templateValue: TemplateValue { .map(TemplateMap(mapValues(\.templateValue))) }
}

extension TemplateFunction: TemplateConvertible {
    /// A `.function`.
    public var templateValue: TemplateValue { .function(self) }
}
