internal import Synchronization

/// Finds templates by name (TPL-20). To load from elsewhere, such as a database, implement `source(of:)` and keep
/// the other three as stored properties or defaults:
///
/// ```swift
/// final class TableLoader: TemplateLoader {
///     let options = TemplateOptions()
///     let cache = TemplateCache()
///     func source(of name: String) throws -> String { try table.text(name) }
/// }
/// ```
public protocol TemplateLoader: Sendable {
    /// How the loader's templates are compiled.
    var options: TemplateOptions { get }
    /// Keeps what was compiled. One for each loader.
    var cache: TemplateCache { get }
    /// The text of a template. Throws `TemplateError` of kind `.notFound` when there is none.
    func source(of name: String) throws -> String
    /// The full name for a name that a template uses (TPL-17). The default resolves it as a path relative to the
    /// directory of `parent`, and throws for a path that leaves the root.
    func resolve(_ name: String, from parent: String?) throws -> String
}

extension TemplateLoader {
    /// The compiled template of a name (TPL-20). Compiles at the first call, or at each call when `options.reload`
    /// is set. Throws `TemplateError` when the template, or one that it uses, is missing or malformed.
    public func load(_ name: String, from parent: String? = nil) throws -> Template {
        if options.reload { reset() }
        return try cache.template(try resolve(name, from: parent), of: self)
    }

    /// Forgets what was compiled, so that the next `load` sees changed files (TPL-20). Safe at any time, from any
    /// thread; renders under way are not disturbed.
    public func reset() { cache.reset() }

    /// See the protocol.
    public func resolve(_ name: String, from parent: String?) throws -> String {
        try TemplatePath.resolve(name, from: parent)
    }
}

/// What a loader has compiled. Safe from any thread.
public final class TemplateCache: Sendable {
    private struct State {
        var files: [String: ParsedFile] = [:]
        var templates: [String: Template] = [:]
        /// Counts the resets: work begun before a reset must not be kept after it.
        var generation = 0
    }

    private let state = Mutex(State())

    /// An empty cache.
    public init() {}

    func reset() {
        state.withLock { state in
            state.files = [:]
            state.templates = [:]
            state.generation += 1
        }
    }

    /// The lock is not held while compiling: two threads may compile the same template once each, and agree.
    func template(_ name: String, of loader: any TemplateLoader) throws -> Template {
        let (known, generation) = state.withLock { ($0.templates[name], $0.generation) }
        if let known { return known }
        let template = try Template(try file(name, of: loader), options: loader.options, loader: loader)
        state.withLock { if $0.generation == generation { $0.templates[name] = template } }
        return template
    }

    func file(_ name: String, of loader: any TemplateLoader) throws -> ParsedFile {
        let (known, generation) = state.withLock { ($0.files[name], $0.generation) }
        if let known { return known }
        let file = try Parser.parse(try loader.source(of: name), name: name, options: loader.options)
        state.withLock { if $0.generation == generation { $0.files[name] = file } }
        return file
    }
}
