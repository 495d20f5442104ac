import Gale
import GaleTesting
import Testing

@Suite struct ConditionTests {
    private static func application(_ condition: Condition) -> Application {
        Application(settings: .quiet) {
            Route(get: "/wait/{ms}") { (ms: Int) async throws in
                try await condition.wait(for: .milliseconds(ms)) ? "told" : "timeout"
            }
            Route(get: "/since/{generation}") { (generation: Int) async throws in
                try await condition.wait(for: .seconds(5), since: UInt64(generation)) ? "told" : "timeout"
            }
            Route(post: "/tell") { () -> String in
                condition.notifyAll()
                return "ok"
            }
        }
    }

    @Test("long polling", arguments: TestMode.allCases)
    func polling(_ mode: TestMode) async throws {
        let condition = Condition()
        try await Self.application(condition).test(mode, workers: 2) { client in
            #expect(try await client.get("/wait/20").text == "timeout")
            async let first = client.get("/wait/10000").text
            async let second = client.get("/wait/10000").text
            while condition.waiting < 2 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try await client.post("/tell").text == "ok")
            #expect(try await [first, second] == ["told", "told"])
            #expect(try await client.get("/since/0").text == "told")
            #expect(condition.generation == 1)
            try await client.leave(after: .milliseconds(50), "GET", "/wait/60000")
            while condition.waiting > 0 { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    @Test("LCK-01: who is woken and cancelled at once was woken") func cancelledAsItIsWoken() async throws {
        for _ in 0..<200 {
            let condition = Condition()
            let first = Task { try await condition.wait(for: .seconds(10)) }
            while condition.waiting < 1 { await Task.yield() }
            let second = Task { try await condition.wait(for: .seconds(10)) }
            while condition.waiting < 2 { await Task.yield() }
            condition.notify()
            first.cancel()
            #expect(try await first.value)
            #expect(condition.waiting == 1)
            condition.notify()
            #expect(try await second.value)
        }
    }

    @Test("also without a loop") func offLoop() async throws {
        let condition = Condition()
        #expect(try await condition.wait(for: .milliseconds(5)) == false)
        async let told = condition.wait(for: .seconds(10))
        while condition.waiting == 0 { try await Task.sleep(for: .milliseconds(1)) }
        condition.notifyAll()
        #expect(try await told)
        let task = Task { try await condition.wait() }
        while condition.waiting == 0 { try await Task.sleep(for: .milliseconds(1)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
