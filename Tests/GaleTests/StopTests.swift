import Gale
import GaleTesting
import Testing

private final class Quiet: WebSocketHandler {}

@Suite struct StopTests {
    @Test("onStop wakes long polls: a stop ends at once, sockets get 1001 (WS-21)", arguments: TestMode.allCases)
    func longPolls(_ mode: TestMode) async throws {
        let news = Condition()
        let log = Recorder()
        var settings = Settings.quiet
        settings.server.shutdownGrace = .seconds(30)
        settings.onStop = [{ log.add("stop") }, { news.notifyAll() }]
        let app = Application(settings: settings) {
            Route(get: "/wait") { () async throws in try await news.wait(for: .seconds(60)) ? "told" : "timeout" }
            Route("/socket", Quiet.self)
        }
        try await app.test(mode, workers: 2) { client in
            let socket = try await client.webSocket("/socket")
            async let first = client.get("/wait")
            async let second = client.fresh().get("/wait")
            while news.waiting < 2 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(log.events.isEmpty)
            let started = ContinuousClock.now
            client.stopServer()
            #expect(try await first.text == "told")
            #expect(try await second.text == "told")
            #expect(try await socket.receive() == .close(1001, "server is stopping"))
            await client.serverStopped()
            #expect(ContinuousClock.now - started < .seconds(10))
        }
        #expect(log.events == ["stop"])
    }

    @Test("a second stop cuts, and onStop has run once") func second() async throws {
        let log = Recorder()
        var settings = Settings.quiet
        settings.server.shutdownGrace = .seconds(30)
        settings.onStop = [{ log.add("stop") }]
        let app = Application(settings: settings) {
            Route(get: "/wait") { () async throws -> String in
                log.add("begin")
                do { try await Gale.sleep(for: .seconds(60)) } catch { log.add("cancelled") }
                return ""
            }
        }
        try await app.test(.live) { client in
            let waiting = Task { try await client.get("/wait") }
            _ = try await log.wait(for: 1)
            let started = ContinuousClock.now
            client.stopServer()
            client.stopServer()
            await client.serverStopped()
            #expect(ContinuousClock.now - started < .seconds(10))
            await #expect(throws: TestError.self) { try await waiting.value }
        }
        #expect(log.events == ["begin", "stop", "cancelled"])
    }
}
