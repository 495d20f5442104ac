public import Gale
internal import GaleCore

/// How a test's client reaches the application.
public enum TestMode: Sendable, CaseIterable {
    /// In memory, through the real parser and write path, without a socket.
    case memory
    /// Over TCP on 127.0.0.1.
    case live
}

extension Application {
    /// Serves this application while `body` runs, for its client alone. Throws what `body` throws, and `ServerError`.
    ///
    /// ```swift
    /// try await app.test { client in
    ///     #expect(try await client.get("/ping").text == "pong")
    /// }
    /// ```
    public func test<Result>(
        _ mode: TestMode = .memory, workers: Int = 1, _ body: (TestClient) async throws -> Result
    ) async throws -> Result {
        let server = try start(mode == .live ? ["http://127.0.0.1:0"] : []) { configuration in
            configuration.workers = workers
            // Hundreds of tests at once make a client slow, which is not its fault.
            configuration.headerTimeout = configuration.headerTimeout ?? .seconds(120)
            configuration.bodyTimeout = configuration.bodyTimeout ?? .seconds(120)
        }
        await server.ready()
        let client: TestClient
        switch mode {
        case .live:
            let port = server.port()
            client = TestClient(server, port: port) { try LiveConnection(port: port) }
        case .memory:
            client = TestClient(server, port: nil) { [server] in try await MemoryConnection.open(to: server) }
        }
        do {
            let result = try await body(client)
            await end(client, server)
            return result
        } catch {
            await end(client, server)
            throw error
        }
    }

    private func end(_ client: TestClient, _ server: Server) async {
        client.close()
        if !server.isStopping { server.stop() }
        // What is still open after a while has been left by the test.
        let clock = Task {
            try await Task.sleep(for: .seconds(1))
            server.stop()
        }
        await server.join()
        clock.cancel()
    }
}
