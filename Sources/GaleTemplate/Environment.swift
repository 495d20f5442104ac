/// What a framework gives to one render beside the values of the call (TPL-13, TPL-21): `handler`, `request`,
/// `static_url`, `xsrf_form_html`, UI modules and so on.
///
/// It is not Sendable and may capture a request's own objects: it lives for one render, on one thread. Names are
/// looked up in this order: values of the call, environment, namespace of the loader, built-in functions.
public struct TemplateEnvironment {
    /// A function that need not be Sendable.
    public typealias Function = (TemplateArguments) throws -> TemplateValue

    /// Plain values, converted only when a template uses them.
    public var values: [String: any TemplateConvertible] = [:]
    /// Functions. A dotted name, `handler.reverse_url`, makes a method of an object in `objects`.
    public var functions: [String: Function] = [:]
    /// Objects that answer for their members: name, then a closure from member name to value, nil for unknown.
    public var objects: [String: (String) throws -> TemplateValue?] = [:]
    /// UI modules, called by `{% module Name(args) %}` and as `modules.Name(args)`; the result isn't escaped.
    public var modules: [String: Function] = [:]

    /// An empty environment.
    public init() {}

    /// The value behind a plain name.
    func value(_ name: String) -> TemplateValue? {
        if let value = values[name] { return value.templateValue }
        if functions[name] != nil { return .function(TemplateFunction(body: .environment(name))) }
        if objects[name] != nil { return .object(EnvironmentObject(name)) }
        if name == "modules", !modules.isEmpty { return .object(EnvironmentObject(name)) }
        return nil
    }

    /// The value of a member of one of the `objects`.
    func member(_ name: String, of object: String) throws -> TemplateValue? {
        if let value = try objects[object]?(name) { return value }
        let path = "\(object).\(name)"
        if functions[path] != nil { return .function(TemplateFunction(body: .environment(path))) }
        if object == "modules", modules[name] != nil { return .function(TemplateFunction(body: .module(name))) }
        return nil
    }
}

/// Stands for one of the environment's objects inside a value. It holds the name only, since values are Sendable
/// and what the environment captured need not be.
final class EnvironmentObject: TemplateObject {
    let name: String

    init(_ name: String) { self.name = name }

    func member(_ name: String) -> TemplateValue? { nil }
}
