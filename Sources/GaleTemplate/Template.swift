/// A compiled template (TPL-01..23). Compiling joins all files it extends and includes; rendering is then free of
/// look-ups in the loader and safe from any number of threads at once.
///
/// ```swift
/// let page = try Template("<p>{{ name }}</p>")
/// try page.render(["name": "<Ann>"])  // <p>&lt;Ann&gt;</p>
/// ```
public struct Template: Sendable {
    /// The name under which the template reports errors and resolves relative paths.
    public let name: String
    let program: Program

    /// Compiles a template from its text (TPL-18).
    ///
    /// - Parameters:
    ///   - source: the template.
    ///   - name: its name for messages; the ending chooses the whitespace mode (TPL-16).
    ///   - loader: where `extends` and `include` find their files; without one these directives are errors.
    ///   - options: the way to compile; by default the loader's.
    /// - Throws: `TemplateError` with file and line.
    public init(
        _ source: String, name: String = "<string>", loader: (any TemplateLoader)? = nil,
        options: TemplateOptions? = nil
    ) throws {
        let options = options ?? loader?.options ?? TemplateOptions()
        let file = try Parser.parse(source, name: name, options: options)
        try self.init(file, options: options, loader: loader)
    }

    init(_ file: ParsedFile, options: TemplateOptions, loader: (any TemplateLoader)?) throws {
        name = file.name
        program = try Linker.link(file, options: options, loader: loader)
    }

    /// Renders to text (TPL-22).
    ///
    /// - Throws: `TemplateError` with file, line and the chain of including files (TPL-19).
    public func render(
        _ values: [String: any TemplateConvertible] = [:], environment: TemplateEnvironment = TemplateEnvironment()
    ) throws -> String {
        String(decoding: try renderBytes(values, environment: environment), as: UTF8.self)
    }

    /// Renders to UTF-8 (TPL-22). Throws like `render`.
    public func renderBytes(
        _ values: [String: any TemplateConvertible] = [:], environment: TemplateEnvironment = TemplateEnvironment()
    ) throws -> [UInt8] {
        var renderer = Renderer(program: program, values: values, environment: environment)
        return try renderer.render()
    }
}
