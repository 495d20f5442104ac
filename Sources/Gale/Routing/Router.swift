internal import GaleCore

/// What answers a request.
@usableFromInline
enum Endpoint: Sendable {
    /// Called straight from the C callback.
    case sync(@Sendable (Request) throws -> Void)
    /// Called in a task of the loop.
    case async(@Sendable (Request) async throws -> Void)
    /// Makes a handler object and runs its life.
    case handler(HandlerFactory)
}

/// Makes the handler objects of a route.
@usableFromInline
struct HandlerFactory: Sendable {
    let make: @Sendable () -> RequestHandler
    let streamsBody: Bool
    let receivesForm: Bool
    /// Whether the class overrides `prepare`.
    let hasPrepare: Bool
}

/// The endpoints of one pattern.
final class RouteEntry: Sendable {
    let pattern: Pattern
    /// Of the pattern, as bytes.
    let path: [UInt8]
    let middleware: [any Middleware]
    /// What answers each method, with HEAD as GET unless it has its own (WEB-04).
    private let endpoints: [Endpoint?]
    /// The endpoints that don't wait, to be called without looking any further.
    private let syncBodies: [(@Sendable (Request) throws -> Void)?]
    /// The limits of bodies that have one of their own.
    private let bodyLimits: [Int?]
    /// Without middleware.
    let isPlain: Bool
    /// The methods that have routes of their own.
    let methods: MethodSet

    init(pattern: Pattern, routes: [Route], middleware: [any Middleware]) {
        self.pattern = pattern
        path = Array(pattern.text.utf8)
        self.middleware = middleware
        isPlain = middleware.isEmpty
        var named: [Method: Route] = [:]
        var any: Route?
        var methods = MethodSet()
        for route in routes {
            guard let method = route.method else {
                any = any ?? route
                continue
            }
            if named[method] == nil { named[method] = route }
            methods.insert(method)
        }
        self.methods = methods
        let answering = Method.allCases.map { named[$0] ?? ($0 == .head ? named[.get] : nil) ?? any }
        endpoints = answering.map { $0?.endpoint }
        bodyLimits = answering.map { $0?.maxBody }
        syncBodies = endpoints.map { endpoint in
            if case .sync(let body) = endpoint { return body }
            return nil
        }
    }

    func answers(_ method: Method) -> Bool { endpoints[method.rawValue] != nil }
    func endpoint(_ method: Method) -> Endpoint? { endpoints[method.rawValue] }
    func maxBody(_ method: Method) -> Int? { bodyLimits[method.rawValue] }
    func syncBody(_ method: Method) -> (@Sendable (Request) throws -> Void)? { syncBodies[method.rawValue] }
}

/// Finds what answers a request: plain paths by hash, then patterns in the order of the routes (APP-01, RT-02).
final class Router: Sendable {
    private let slots: [RouteEntry?]
    private let mask: Int
    private let patterns: [RouteEntry]
    private let names: [String: Pattern]

    enum Match {
        case found(RouteEntry)
        case notAllowed(MethodSet)
        case notFound
    }

    /// One without routes.
    static let empty = Router(plain: [], patterns: [], names: [:])

    /// Routes with the same pattern and middleware share an entry; a static path is matched before patterns.
    convenience init(_ routes: [Route]) throws(RouteError) {
        var entries: [(pattern: Pattern, routes: [Route])] = []
        var places: [String: Int] = [:]
        var names: [String: Pattern] = [:]
        for route in routes {
            let pattern = try Pattern(route.path)
            if let name = route.name { names[name] = pattern }
            if let place = places[route.path], entries[place].routes[0].group == route.group {
                entries[place].routes.append(route)
            } else {
                places[route.path] = places[route.path] ?? entries.count
                entries.append((pattern, [route]))
            }
        }
        let made = entries.map {
            RouteEntry(pattern: $0.pattern, routes: $0.routes, middleware: $0.routes[0].middleware)
        }
        self.init(
            plain: made.filter { $0.pattern.isStatic }, patterns: made.filter { !$0.pattern.isStatic }, names: names)
    }

    private init(plain: [RouteEntry], patterns: [RouteEntry], names: [String: Pattern]) {
        self.patterns = patterns
        self.names = names
        var size = 8
        while size < plain.count * 4 { size *= 2 }
        mask = size - 1
        var slots: [RouteEntry?] = Array(repeating: nil, count: size)
        for entry in plain {
            var slot = Router.hash(Array(entry.pattern.text.utf8).span) & mask
            while slots[slot] != nil { slot = (slot + 1) & mask }
            slots[slot] = entry
        }
        self.slots = slots
    }

    /// Looks the path up; what it captures goes to `captures`.
    func match(_ path: Span<UInt8>, _ method: Method, _ captures: inout [Range<Int>]) -> Match {
        var allowed = MethodSet()
        var isKnown = false
        var slot = Router.hash(path) & mask
        while let entry = slots[slot] {
            if Router.equal(path, entry.path) {
                if entry.answers(method) { return .found(entry) }
                allowed.formUnion(entry.methods)
                isKnown = true
            }
            slot = (slot + 1) & mask
        }
        for entry in patterns where entry.pattern.matches(path, &captures) {
            if entry.answers(method) { return .found(entry) }
            allowed.formUnion(entry.methods)
            isKnown = true
        }
        return isKnown ? .notAllowed(allowed) : .notFound
    }

    func pattern(named name: String) -> Pattern? { names[name] }

    private static func hash(_ bytes: Span<UInt8>) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for index in bytes.indices { hash = (hash ^ UInt64(bytes[index])) &* 0x0100_0000_01b3 }
        return Int(truncatingIfNeeded: hash ^ hash >> 29) & Int.max
    }

    private static func equal(_ bytes: Span<UInt8>, _ text: [UInt8]) -> Bool {
        if bytes.count != text.count { return false }
        for index in bytes.indices where bytes[index] != text[index] { return false }
        return true
    }
}
