import GaleCore
import GaleTesting
import Testing

@testable import Gale

private final class Ticks: RequestHandler {
    override func get() async throws {
        try setHeader("X-Own", "1")
        let events = try eventStream()
        let first = events.lastEventID.flatMap(Int.init) ?? 0
        for index in (first + 1)...3 { try await events.send("tick\n\(index)", event: "tick", id: "\(index)") }
        try await events.send(json: ["a": 1])
        try await events.send(ServerSentEvent(id: "", retry: .seconds(2)))
    }
}

private final class Flood: RequestHandler {
    var log: Recorder?

    convenience init(_ log: Recorder) {
        self.init()
        self.log = log
    }

    override func get() async throws {
        let events = try eventStream()
        let text = String(repeating: "x", count: 10_000)
        do {
            while true {
                try await events.send(text)
                log?.add("sent")
            }
        } catch {
            log?.add("\(type(of: error))")
            throw error
        }
    }
}

@Suite struct EventStreamTests {
    private static let app = Application(settings: .quiet) {
        Route("/ticks", Ticks.self)
        Route(get: "/closure") { (request: Request) async throws in
            let events = try request.response.eventStream()
            try await events.send("hi")
            return events
        }
        Route(get: "/bad") { (request: Request) async throws in
            let events = try request.response.eventStream()
            await #expect(throws: ResponseError.self) { try await events.send("x", id: "a\nb") }
            try await events.send("still here")
            return events
        }
    }

    @Test("events, and those after the last that was seen", arguments: TestMode.allCases)
    func events(_ mode: TestMode) async throws {
        try await Self.app.test(mode) { client in
            let all = try await client.get("/ticks")
            #expect(all.headers["Content-Type"] == "text/event-stream; charset=utf-8" && all.headers["X-Own"] == "1")
            let ticks = (1...3).map { "event: tick\nid: \($0)\ndata: tick\ndata: \($0)\n\n" }
            let end = "data: {\"a\":1}\n\nid: \nretry: 2000\n\n"
            #expect(all.text == ticks.joined() + end)
            let rest = try await client.get("/ticks", headers: ["Last-Event-ID": "2"])
            #expect(rest.text == ticks[2] + end)
            #expect(try await client.get("/closure").text == "data: hi\n\n")
            #expect(try await client.get("/bad").text == "data: still here\n\n")
        }
    }

    @Test("a client that reads nothing holds the sender, and its leaving ends it") func pressure() async throws {
        let log = Recorder()
        let server = try Application(settings: .quiet) { Route("/", make: { Flood(log) }) }.start([]) { $0.workers = 1 }
        await server.ready()
        let client = try await MemoryConnection.open(to: server)
        client.stall(true)
        client.send(Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
        try await Task.sleep(for: .milliseconds(200))
        let held = log.events.count
        #expect(held < 20)
        try await Task.sleep(for: .milliseconds(100))
        #expect(log.events.count == held)
        client.close()
        #expect(try await log.wait(for: held + 1).last == "CancellationError")
        server.stop()
        await server.join()
    }
}
