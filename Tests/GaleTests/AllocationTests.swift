import CAllocations
import Gale
import GaleTesting
import Testing

private final class Hello: RequestHandler {
    override func get() async throws {
        try setHeader("Content-Type", "text/plain; charset=utf-8")
        try write("Hello, World!")
    }
}

@Suite struct AllocationTests {
    private static let rounds = 200
    private static let app = Application(settings: .quiet) {
        Route(get: "/allocations") { "\(allocations_of_thread())" }
        Route(get: "/closure") { "Hello, World!" }
        Route(get: "/async") { () async throws in "Hello, World!" }
        Route("/handler", Hello.self)
    }

    /// What the loop's thread allocates for a request, on a connection that is kept.
    private func cost(_ target: String, _ client: TestClient) async throws -> Double {
        for _ in 0..<50 { _ = try await client.get(target) }
        let before = try Int(await client.get("/allocations").text) ?? 0
        for _ in 0..<Self.rounds { #expect(try await client.get(target).text == "Hello, World!") }
        let after = try Int(await client.get("/allocations").text) ?? 0
        return Double(after - before) / Double(Self.rounds)
    }

    @Test(
        "allocations a request in steady state",
        .enabled(if: allocations_are_counted(), "a sanitizer has the allocator, or this is not glibc"))
    func steady() async throws {
        try await Self.app.test(.live) { client in
            let closure = try await cost("/closure", client)
            let asyncClosure = try await cost("/async", client)
            let handler = try await cost("/handler", client)
            print("allocations a request: closure \(closure), async closure \(asyncClosure), handler \(handler)")
            // The handler itself is one, so there is a count.
            #expect(handler >= 1)
            // The counting requests are within: a little of one, spread over the rounds.
            #expect(closure <= 2.1)
            #expect(asyncClosure <= 2.1)
            #expect(handler <= 4.1)
        }
    }
}
