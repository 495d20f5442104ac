extension Route {
    /// GET, answered by a closure that doesn't wait.
    @inlinable
    public init<each Input: Extractable, Output: Reply>(
        get path: String, name: String? = nil, _ body: @escaping @Sendable (repeat each Input) throws -> Output
    ) {
        self.init(path: path, method: .get, name: name, endpoint: Route.endpoint(body))
    }

    /// GET, answered by a closure that may wait.
    @inlinable
    public init<each Input: Extractable, Output: Reply>(
        get path: String, name: String? = nil, _ body: @escaping @Sendable (repeat each Input) async throws -> Output
    ) {
        self.init(path: path, method: .get, name: name, endpoint: Route.endpoint(body))
    }

    /// HEAD, answered by a closure that doesn't wait.
    @inlinable
    public init<each Input: Extractable, Output: Reply>(
        head path: String, name: String? = nil, _ body: @escaping @Sendable (repeat each Input) throws -> Output
    ) {
        self.init(path: path, method: .head, name: name, endpoint: Route.endpoint(body))
    }

    /// HEAD, answered by a closure that may wait.
    @inlinable
    public init<each Input: Extractable, Output: Reply>(
        head path: String, name: String? = nil, _ body: @escaping @Sendable (repeat each Input) async throws -> Output
    ) {
        self.init(path: path, method: .head, name: name, endpoint: Route.endpoint(body))
    }

    /// POST, answered by a closure that doesn't wait.
    @inlinable
    public init<each Input: Extractable, Output: Reply>(
        post path: String, name: String? = nil, _ body: @escaping @Sendable (repeat each Input) throws -> Output
    ) {
        self.init(path: path, method: .post, name: name, endpoint: Route.endpoint(body))
    }

    /// POST, answered by a closure that may wait.
    @inlinable
    public init<each Input: Extractable, Output: Reply>(
        post path: String, name: String? = nil, _ body: @escaping @Sendable (repeat each Input) async throws -> Output
    ) {
        self.init(path: path, method: .post, name: name, endpoint: Route.endpoint(body))
    }

    /// PUT, answered by a closure that doesn't wait.
    @inlinable
    public init<each Input: Extractable, Output: Reply>(
        put path: String, name: String? = nil, _ body: @escaping @Sendable (repeat each Input) throws -> Output
    ) {
        self.init(path: path, method: .put, name: name, endpoint: Route.endpoint(body))
    }

    /// PUT, answered by a closure that may wait.
    @inlinable
    public init<each Input: Extractable, Output: Reply>(
        put path: String, name: String? = nil, _ body: @escaping @Sendable (repeat each Input) async throws -> Output
    ) {
        self.init(path: path, method: .put, name: name, endpoint: Route.endpoint(body))
    }

    /// PATCH, answered by a closure that doesn't wait.
    @inlinable
    public init<each Input: Extractable, Output: Reply>(
        patch path: String, name: String? = nil, _ body: @escaping @Sendable (repeat each Input) throws -> Output
    ) {
        self.init(path: path, method: .patch, name: name, endpoint: Route.endpoint(body))
    }

    /// PATCH, answered by a closure that may wait.
    @inlinable
    public init<each Input: Extractable, Output: Reply>(
        patch path: String, name: String? = nil, _ body: @escaping @Sendable (repeat each Input) async throws -> Output
    ) {
        self.init(path: path, method: .patch, name: name, endpoint: Route.endpoint(body))
    }

    /// DELETE, answered by a closure that doesn't wait.
    @inlinable
    public init<each Input: Extractable, Output: Reply>(
        delete path: String, name: String? = nil, _ body: @escaping @Sendable (repeat each Input) throws -> Output
    ) {
        self.init(path: path, method: .delete, name: name, endpoint: Route.endpoint(body))
    }

    /// DELETE, answered by a closure that may wait.
    @inlinable
    public init<each Input: Extractable, Output: Reply>(
        delete path: String, name: String? = nil, _ body: @escaping @Sendable (repeat each Input) async throws -> Output
    ) {
        self.init(path: path, method: .delete, name: name, endpoint: Route.endpoint(body))
    }

    /// OPTIONS, answered by a closure that doesn't wait.
    @inlinable
    public init<each Input: Extractable, Output: Reply>(
        options path: String, name: String? = nil, _ body: @escaping @Sendable (repeat each Input) throws -> Output
    ) {
        self.init(path: path, method: .options, name: name, endpoint: Route.endpoint(body))
    }

    /// OPTIONS, answered by a closure that may wait.
    @inlinable
    public init<each Input: Extractable, Output: Reply>(
        options path: String, name: String? = nil,
        _ body: @escaping @Sendable (repeat each Input) async throws -> Output
    ) {
        self.init(path: path, method: .options, name: name, endpoint: Route.endpoint(body))
    }

    /// every method, answered by a closure that doesn't wait.
    @inlinable
    public init<each Input: Extractable, Output: Reply>(
        any path: String, name: String? = nil, _ body: @escaping @Sendable (repeat each Input) throws -> Output
    ) {
        self.init(path: path, method: nil, name: name, endpoint: Route.endpoint(body))
    }

    /// every method, answered by a closure that may wait.
    @inlinable
    public init<each Input: Extractable, Output: Reply>(
        any path: String, name: String? = nil, _ body: @escaping @Sendable (repeat each Input) async throws -> Output
    ) {
        self.init(path: path, method: nil, name: name, endpoint: Route.endpoint(body))
    }

    @inlinable
    static func endpoint<each Input: Extractable, Output: Reply>(
        _ body: @escaping @Sendable (repeat each Input) throws -> Output
    ) -> Endpoint {
        .sync { request in
            var extraction = Extraction(request)
            try body(repeat (each Input).extract(from: &extraction)).reply(to: request)
        }
    }

    @inlinable
    static func endpoint<each Input: Extractable, Output: Reply>(
        _ body: @escaping @Sendable (repeat each Input) async throws -> Output
    ) -> Endpoint {
        .async { request in
            var extraction = Extraction(request)
            let input = (repeat try (each Input).extract(from: &extraction))
            try await body(repeat each input).reply(to: request)
        }
    }
}
