package import GaleCore
internal import Logging

/// Routes and settings: what a server serves. Immutable, of any thread.
///
/// ```swift
/// let app = Application {
///     Route(get: "/hello/{name}") { (name: String) in "Hello, \(name)!" }
/// }
/// try await app.run(port: 8888)
/// ```
public final class Application: Sendable {
    /// What it was made with.
    public let settings: Settings
    let router: Router
    let maxBody: Int
    private let mistake: ServerError?

    /// An application of these routes; `middleware` is around all of them. A route that cannot be is reported by
    /// `run` and `test`.
    public init(
        settings: Settings = Settings(), middleware: [any Middleware] = [], @RouteBuilder _ routes: () -> [Route]
    ) {
        self.settings = settings
        maxBody = settings.server.maxBodyBytes ?? 1 << 20
        let routes = routes().map { route in
            var route = route
            route.middleware = middleware + route.middleware
            return route
        }
        var mistake = routes.lazy.compactMap(\.mistake).first ?? settings.cookieSecret?.mistake
        mistake = mistake ?? routes.lazy.flatMap(\.middleware).compactMap(\.mistake).first
        do throws(RouteError) {
            router = try Router(routes)
        } catch {
            router = Router.empty
            mistake = error.description
        }
        self.mistake = mistake.map { ServerError(description: $0) }
    }

    /// The path of the route of this name, with `values` in place of what it captures, percent-encoded (WEB-35).
    /// Nil when there is no such route or the number of values is wrong.
    public func url(for name: String, _ values: String...) -> String? { url(for: name, values) }

    /// The same with the values in a list.
    public func url(for name: String, _ values: [String]) -> String? { router.pattern(named: name)?.path(values) }

    // MARK: Running

    /// Serves until SIGINT or SIGTERM, or until the task is cancelled: then open requests finish, WebSockets get
    /// 1001, and it returns. A second signal cuts. Throws `ServerError`.
    public func run(port: Int = 8888, host: String = "127.0.0.1") async throws {
        let name = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        try await run(listen: ["http://\(name):\(port)"])
    }

    /// The same on these addresses: "http://HOST:PORT", "unix:PATH".
    public func run(listen urls: String...) async throws { try await run(listen: urls) }

    /// The same on these addresses: "http://HOST:PORT", "unix:PATH".
    public func run(listen urls: [String]) async throws {
        let server = try start(urls)
        let hasSignals = Signals.claim(server)
        for (index, url) in urls.enumerated() {
            settings.logger.info("listening on \(Application.bound(url, port: server.port(index)))")
        }
        await withTaskCancellationHandler {
            await server.join()
        } onCancel: {
            server.stop()
        }
        if hasSignals, let number = Signals.release() {
            settings.logger.info("stopped by \(number == 2 ? "SIGINT" : "SIGTERM")")
        }
    }

    /// `run` for programs: says in one line on stderr why it cannot serve, and ends the process with status 1.
    public func main(port: Int = 8888, host: String = "127.0.0.1") async {
        await Application.exitOnError { try await self.run(port: port, host: host) }
    }

    /// `run(listen:)` for programs.
    public func main(listen urls: [String]) async {
        await Application.exitOnError { try await self.run(listen: urls) }
    }

    private static func exitOnError(_ body: () async throws -> Void) async {
        do {
            try await body()
        } catch {
            CurrentProcess.fail("\(error)")
        }
    }

    /// Starts a server that the caller stops and joins, after `change` to its configuration.
    package func start(
        _ urls: [String], _ change: (inout ServerConfiguration) -> Void = { _ in }
    ) throws -> Server {
        if let mistake { throw mistake }
        do throws(CoreError) {
            var configuration = settings.server
            change(&configuration)
            let server = try Server(configuration, delegate: ApplicationServer(self))
            for url in urls { try server.listen(url) }
            try server.start()
            return server
        } catch {
            throw ServerError(error)
        }
    }

    /// The address with the port that the system chose in place of 0.
    private static func bound(_ url: String, port: Int) -> String {
        url.hasSuffix(":0") ? "\(url.dropLast(2)):\(port)" : url
    }
}

/// Why a server could not be started: "cannot listen on 127.0.0.1:80: permission denied".
public struct ServerError: Error, Sendable, CustomStringConvertible {
    /// One sentence.
    public let description: String

    init(_ error: CoreError) { description = error.description }
    init(description: String) { self.description = description }
}

/// Connects an application to a server.
private final class ApplicationServer: ServerDelegate {
    private let application: Application
    private let services = Guarded<RunningServices?>(nil)

    init(_ application: Application) { self.application = application }

    func makeExchange(on worker: Worker) -> Exchange { Call(application, on: worker) }
    func workerStarted(_ worker: Worker) {
        if worker.index != 0 || application.settings.services.isEmpty { return }
        let running = RunningServices(application.settings.services, on: worker)
        services.withLock { $0 = running }
    }
    func workerStopped(_ worker: Worker) {
        if worker.index != 0 { return }
        let running = services.withLock { services in
            defer { services = nil }
            return services
        }
        running?.stop()
    }
    func stopping() { for body in application.settings.onStop { body() } }
}
