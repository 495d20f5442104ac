internal import GaleCore
public import GaleTemplate

/// Makes the result of a UI module: `{% module Name(arguments) %}` (HND-04). It must not wait.
public typealias UIModule = @Sendable (RequestHandler, TemplateArguments) throws -> TemplateValue

extension RequestHandler {
    /// Renders a template of `Settings.templates` as the whole response, as text/html unless a Content-Type is set
    /// (TPL-21). Throws `TemplateError`, `ResponseError`, and as it is whatever else a function or module throws: an
    /// `HTTPError` keeps its status.
    ///
    /// Beside `values` templates see `handler.status`, `request` (method, path, target, host, remote_ip),
    /// `current_user` (as far as `currentUser()` has been asked), `static_url(path)`, `xsrf_token`,
    /// `xsrf_form_html()`, `reverse_url(name, ...)`, and what `templateValues` gives.
    public final func render(_ template: String, _ values: [String: TemplateValue] = [:]) throws {
        let page = try renderBytes(template, values)
        try write(page)
        try finish()
    }

    /// Renders a template of `Settings.templates`. Throws as `render` does.
    public final func renderString(_ template: String, _ values: [String: TemplateValue] = [:]) throws -> String {
        String(decoding: try renderBytes(template, values), as: UTF8.self)
    }

    private func renderBytes(_ template: String, _ values: [String: TemplateValue]) throws -> [UInt8] {
        guard let loader = settings.templates else {
            throw HTTPError(500, "You must define the 'templates' setting in your application to use render")
        }
        let known = templateValues().merging(values) { $1 }
        do {
            return try loader.load(template).renderBytes(known, environment: templateEnvironment())
        } catch let error as TemplateError where error.kind == .foreign {
            throw error.underlying ?? error
        }
    }

    /// What templates see of the handler.
    private func templateEnvironment() -> TemplateEnvironment {
        var environment = TemplateEnvironment()
        let user = call?.extrasIfAny?.user ?? nil
        environment.values["current_user"] = user.map { TemplateValue.string($0) } ?? .none
        environment.objects["handler"] = { [self] member in member == "status" ? .int(status) : nil }
        environment.objects["request"] = { [request] member in Self.member(member, of: request) }
        environment.functions["static_url"] = { [self] in .string(staticURL(try $0.string(0, "path"))) }
        environment.functions["xsrf_form_html"] = { [self] _ in .html(try xsrfFormHTML()) }
        environment.functions["xsrf_token"] = { [self] _ in .string(try xsrfToken()) }
        environment.functions["reverse_url"] = { [self] arguments in
            let values = try arguments.positional.indices.dropFirst().map { try arguments.string($0) }
            let name = try arguments.string(0, "name")
            guard let url = application?.url(for: name, values) else { throw TemplateError("no route named \(name)") }
            return .string(url)
        }
        environment.modules["xsrf_form_html"] = environment.functions["xsrf_form_html"]
        environment.modules["Template"] = { [self] arguments in
            .html(try renderString(try arguments.string(0, "path"), arguments.keywords))
        }
        environment.modules["linkify"] = { .html(Escape.linkify(try $0.string(0, "text"))) }
        for (name, module) in settings.templateModules {
            environment.modules[name] = { [self] in try module(self, $0) }
        }
        return environment
    }

    private static func member(_ name: String, of request: Request) -> TemplateValue? {
        switch name {
        case "method": .string(request.method)
        case "path": .string(request.path)
        case "uri", "target": .string(request.target)
        case "query": .string(request.queryString)
        case "host": .string(request.host)
        case "remote_ip": .string(request.remoteAddress)
        default: nil
        }
    }
}
