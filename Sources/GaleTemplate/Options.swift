/// What the renderer may spend on one render. A template that passes a bound fails with kind `.limit`; no
/// template can hang the server or eat its memory (TPL-23).
public struct TemplateLimits: Sendable {
    /// Rounds of loops, elements of lists made, blocks of text joined, and includes.
    public var steps = 10_000_000
    /// Bytes of output, and of any string made on the way.
    public var outputBytes = 64 << 20

    /// The default bounds.
    public init(steps: Int = 10_000_000, outputBytes: Int = 64 << 20) {
        self.steps = steps
        self.outputBytes = outputBytes
    }
}

/// How templates are compiled (TPL-15, TPL-16, TPL-20).
public struct TemplateOptions: Sendable {
    /// The function that `{{ }}` output goes through, unless a file says otherwise; nil for none.
    public var autoescape: String?
    /// The whitespace mode of all files; nil chooses by name: `single` for `.html` and `.js`, `all` for others.
    public var whitespace: WhitespaceMode?
    /// Names that every template of the loader can use: functions and values.
    public var namespace: [String: TemplateValue]
    /// The bounds of each render.
    public var limits: TemplateLimits
    /// Compile anew at each `load`, so that edits show at once. For development.
    public var reload: Bool

    /// Options; the defaults are Tornado's.
    public init(
        autoescape: String? = "xhtml_escape",
        whitespace: WhitespaceMode? = nil,
        namespace: [String: TemplateValue] = [:],
        limits: TemplateLimits = TemplateLimits(),
        reload: Bool = false
    ) {
        self.autoescape = autoescape
        self.whitespace = whitespace
        self.namespace = namespace
        self.limits = limits
        self.reload = reload
    }
}
