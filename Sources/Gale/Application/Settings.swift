public import GaleCore
public import GaleTemplate
public import Logging

/// What an application is configured with. Everything has a default.
public struct Settings: Sendable {
    /// Limits, timeouts and workers.
    public var server = ServerConfiguration()
    /// Limits of forms, and where the files that come with them go (HU-15).
    public var forms = FormSettings()
    /// Signs cookies; without it `setSignedCookie` throws.
    public var cookieSecret: CookieSecret?
    /// Whether every method but GET, HEAD and OPTIONS needs an XSRF token in handlers (XSR-01).
    public var xsrfCookies = false
    /// The name of the XSRF cookie; the form field is always `_xsrf` (XSR-05).
    public var xsrfCookieName = "_xsrf"
    /// Where `requireUser` sends the anonymous.
    public var loginURL: String?
    /// Origins, such as "https://example.com", that may open WebSockets beside the server's own.
    public var allowedOrigins: [String] = []
    /// Where `render` finds templates, such as `DirectoryLoader("templates")`.
    public var templates: (any TemplateLoader)?
    /// UI modules for `{% module Name(arguments) %}`, beside `xsrf_form_html`, `linkify` and `Template`
    /// (HND-04, HND-07).
    public var templateModules: [String: UIModule] = [:]
    /// What `staticURL` puts before a path.
    public var staticURLPrefix = "/static/"
    /// The folder behind that prefix: with it `staticURL` adds a version, so that browsers may keep a file for ever.
    public var staticPath: String?
    /// Where the lines go. Default: stderr, in Tornado's form.
    public var logger = Logger(label: "gale") { ConsoleLogHandler(label: $0) }
    /// Called once when a stop begins, before the server stops taking connections: what long polls wait for is told
    /// here, so that they are answered at once instead of holding the stop up. Short; on any thread.
    public var onStop: [@Sendable () -> Void] = []
    /// What is started with the server and stopped with it, such as `Redis`.
    public var services: [any Service] = []
    /// Whether each request is logged: `200 GET /uri (ip) 1.23ms` (WEB-38).
    public var accessLog = true

    /// All defaults.
    public init() {}
}
