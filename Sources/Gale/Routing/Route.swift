/// One entry of an application's routes: a pattern and what answers it. A value of any thread.
///
/// Patterns: `{name}` takes a segment of the path, `{name:int}` digits, `{name...}` the rest. A closure takes the
/// captured values in order, then any of `JSON`, `Query`, `Form`, `Request`, and returns a `Reply`. A closure without
/// `await` is called straight from the loop.
public struct Route: Sendable {
    let path: String
    let method: Method?
    var endpoint: Endpoint
    let name: String?
    var middleware: [any Middleware] = []
    /// Routes of one group share their middleware; the number tells groups apart.
    var group: [Int] = []
    /// Of a request body, in bytes; nil: as the settings say.
    var maxBody: Int?
    /// Why an application with it cannot start.
    var mistake: String?

    @usableFromInline
    init(path: String, method: Method?, name: String?, endpoint: Endpoint) {
        self.path = path
        self.method = method
        self.name = name
        self.endpoint = endpoint
    }

    /// A handler class: one object a request, made by its `init()`.
    public init<H: RequestHandler>(_ path: String, _ type: H.Type, name: String? = nil) {
        self.init(path, name: name, type: type, make: { type.init() })
    }

    /// A handler class for GET and HEAD alone: other methods go to the other routes that match, as with closures.
    public init<H: RequestHandler>(get path: String, _ type: H.Type, name: String? = nil) {
        self.init(path, name: name, type: type, method: .get, make: { type.init() })
    }

    /// A handler that `make` makes, with what it needs.
    public init<H: RequestHandler>(_ path: String, name: String? = nil, make: @escaping @Sendable () -> H) {
        self.init(path, name: name, type: H.self, make: make)
    }

    /// The same with another limit for request bodies, in bytes, than `Settings.server.maxBodyBytes` (WEB-37). Beyond it 413.
    public func maxBody(_ bytes: Int) -> Route {
        var route = self
        route.maxBody = bytes
        return route
    }

    private init<H: RequestHandler>(
        _ path: String, name: String?, type: H.Type, method: Method? = nil, make: @escaping @Sendable () -> H
    ) {
        let factory = HandlerFactory(
            make: make, streamsBody: type.streamsBody, receivesForm: type.receivesForm,
            hasPrepare: ImplementedMethods.hasPrepare(type))
        self.init(path: path, method: method, name: name, endpoint: .handler(factory))
    }
}

/// Collects routes; `if` and `for` may be used between them.
@resultBuilder
public enum RouteBuilder {
    /// One route.
    public static func buildExpression(_ route: Route) -> [Route] { [route] }
    /// Ready-made routes.
    public static func buildExpression(_ routes: [Route]) -> [Route] { routes }
    /// A group.
    public static func buildExpression(_ group: Group) -> [Route] { group.routes }
    /// A folder of files.
    public static func buildExpression(_ files: StaticFiles) -> [Route] { files.routes }
    /// A block.
    public static func buildBlock(_ parts: [Route]...) -> [Route] { parts.flatMap { $0 } }
    /// `if` without `else`.
    public static func buildOptional(_ part: [Route]?) -> [Route] { part ?? [] }
    /// The first branch.
    public static func buildEither(first: [Route]) -> [Route] { first }
    /// The second branch.
    public static func buildEither(second: [Route]) -> [Route] { second }
    /// `for`.
    public static func buildArray(_ parts: [[Route]]) -> [Route] { parts.flatMap { $0 } }
}

/// Routes under a common prefix, with middleware around them.
public struct Group: Sendable {
    let routes: [Route]

    /// `prefix` is put before each route's path as it is.
    public init(
        _ prefix: String = "", with middleware: [any Middleware] = [], @RouteBuilder _ routes: () -> [Route]
    ) {
        let inner = routes()
        let identity = GroupIdentity.next()
        self.routes = inner.map { route in
            var outer = Route(
                path: prefix + route.path, method: route.method,
                name: route.name, endpoint: route.endpoint)
            outer.middleware = middleware + route.middleware
            outer.maxBody = route.maxBody
            outer.mistake = route.mistake
            outer.group = middleware.isEmpty ? route.group : [identity] + route.group
            return outer
        }
    }
}
