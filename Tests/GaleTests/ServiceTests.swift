import Gale
import GaleCore
import GaleTesting
import Testing

/// Says in a list what is done with it.
private final class Spy: Service {
    let name: String
    let log: Recorder
    let loop = Guarded<ServiceLoop?>(nil)

    init(_ name: String, _ log: Recorder) {
        self.name = name
        self.log = log
    }

    func start(on loop: ServiceLoop) {
        self.loop.withLock { $0 = loop }
        log.add("start \(name) \(loop.isCurrent) \(Worker.current?.index ?? -1)")
    }

    func stop() {
        let isCurrent = loop.withLock { $0 }?.isCurrent ?? false
        log.add("stop \(name) \(isCurrent)")
    }
}

@Suite struct ServiceTests {
    @Test(
        "started before requests, on the first loop; stopped after them, in the opposite order",
        arguments: TestMode.allCases)
    func life(_ mode: TestMode) async throws {
        let log = Recorder()
        var settings = Settings.quiet
        settings.services = [Spy("a", log), Spy("b", log)]
        let app = Application(settings: settings) {
            Route(get: "/") { () -> String in
                log.add("request")
                return ""
            }
        }
        for _ in 0..<2 {
            try await app.test(mode, workers: 2) { client in _ = try await client.get("/") }
        }
        let once = ["start a true 0", "start b true 0", "request", "stop b true", "stop a true"]
        #expect(log.events == once + once)
    }

    @Test("posting to the loop: in order, on its thread, until it has ended") func posting() async throws {
        let log = Recorder()
        let spy = Spy("s", Recorder())
        var settings = Settings.quiet
        settings.services = [spy]
        let app = Application(settings: settings) {}
        var loop: ServiceLoop?
        try await app.test { _ in
            loop = spy.loop.withLock { $0 }
            let here = try #require(loop)
            #expect(!here.isCurrent)
            #expect(throws: CoreError.gone) { try here.timer(after: .zero) {} }
            for index in 0..<100 {
                #expect(
                    here.post {
                        // Never within the call.
                        here.post { log.add("second \(index) \(here.isCurrent)") }
                        log.add("first \(index) \(here.isCurrent)")
                    })
            }
            _ = try await log.wait(for: 200)
        }
        #expect(log.events.filter { $0.hasPrefix("first") } == (0..<100).map { "first \($0) true" })
        #expect(log.events.filter { $0.hasPrefix("second") } == (0..<100).map { "second \($0) true" })
        let ended = try #require(loop)
        #expect(!ended.post { log.add("too late") })
        #expect(!ended.isCurrent)
        #expect(log.events.count == 200)
    }

    @Test("timers, stopped ones, and callbacks that make tasks ready") func timers() async throws {
        let log = Recorder()
        let spy = Spy("s", Recorder())
        var settings = Settings.quiet
        settings.services = [spy]
        let app = Application(settings: settings) {}
        try await app.test { _ in
            let loop = try #require(spy.loop.withLock { $0 })
            loop.post {
                do {
                    let stopped = try loop.timer(after: .milliseconds(5)) { log.add("stopped") }
                    try loop.timer(after: .milliseconds(20)) { log.add("later") }
                    try loop.timer(after: .milliseconds(1)) { log.add("soon \(loop.isCurrent)") }
                    stopped.stop()
                } catch {
                    log.add("\(error)")
                }
                loop.callback {
                    Task(executorPreference: loop.executor) { log.add("task \(loop.isCurrent)") }
                    log.add("callback")
                }
            }
            #expect(try await log.wait(for: 4) == ["callback", "task true", "soon true", "later"])
        }
    }

    @Test("a request still has its service while the server stops") func stopping() async throws {
        let log = Recorder()
        let spy = Spy("s", log)
        var settings = Settings.quiet
        settings.server.shutdownGrace = .seconds(30)
        let told = Condition()
        settings.services = [spy]
        let app = Application(settings: settings) {
            Route(get: "/") { () async throws -> String in
                log.add("begin")
                _ = try await told.wait(for: .seconds(60))
                let isThere = spy.loop.withLock { $0 }?.post { log.add("posted") } ?? false
                return "\(isThere)"
            }
        }
        try await app.test { client in
            let waiting = Task { try await client.get("/") }
            _ = try await log.wait(for: 2)
            client.stopServer()
            while told.waiting == 0 { try await Task.sleep(for: .milliseconds(5)) }
            told.notifyAll()
            #expect(try await waiting.value.text == "true")
            await client.serverStopped()
        }
        #expect(log.events == ["start s true 0", "begin", "posted", "stop s true"])
    }
}
