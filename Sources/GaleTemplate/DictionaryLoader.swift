/// Loads templates from a dictionary: for tests, and for templates compiled into the program (TPL-20).
public final class DictionaryLoader: TemplateLoader {
    /// How the templates are compiled.
    public let options: TemplateOptions
    /// What was compiled so far.
    public let cache = TemplateCache()
    private let sources: [String: String]

    /// A loader of these templates: name to text.
    public init(_ sources: [String: String], options: TemplateOptions = TemplateOptions()) {
        self.sources = sources
        self.options = options
    }

    /// The text of a template. Throws `TemplateError` of kind `.notFound` for an unknown name.
    public func source(of name: String) throws -> String {
        guard let source = sources[name] else { throw TemplateError(.notFound, "no template named '\(name)'") }
        return source
    }
}
