import Gale
import GaleCore
import GaleTesting
import Testing

private final class Life: RequestHandler {
    var log: Recorder?

    convenience init(_ log: Recorder) {
        self.init()
        self.log = log
    }

    override func prepare() async throws {
        log?.add("prepare")
        if try query("stop") != nil { try finish("stopped") }
        if try query("fail") != nil { throw HTTPError(403) }
    }
    override func get() async throws {
        log?.add("get")
        try write("a")
        await Task.yield()
        try write("b")
    }
    override func post() async throws {
        log?.add("post")
        try setStatus(201)
        try write(json: ["x": try form("x") ?? "none"])
    }
    override func onFinish() { log?.add("finish \(status)") }
}

private final class Misuse: RequestHandler {
    override func get() async throws {
        switch try query("what") {
        case "status": try setStatus(99)
        case "header": try setHeader("X-A", "a\r\nB: c")
        case "name": try setHeader("X A", "a")
        case "afterFinish":
            try finish("done")
            do { try write("more") } catch { try setHeader("X", "y") }
        case "afterFlush":
            try write("one")
            try await flush()
            try setStatus(404)
        case "throwAfterFlush":
            try write("one")
            try await flush()
            throw HTTPError(500)
        case "204": throw HTTPError(204)
        case "finish":
            try write("so far")
            throw Finish()
        case "redirect": try redirect("/x", status: 200)
        case "custom":
            struct Odd: Error {}
            throw Odd()
        default: try redirect("/elsewhere", permanent: true)
        }
    }
}

private final class Custom: RequestHandler {
    override func get() async throws { throw HTTPError(404, "not here") }
    override func writeError(status: Int, error: any Error) async throws {
        await Task.yield()
        try write("custom \(status)")
    }
}

private final class Slow: RequestHandler {
    var log: Recorder?
    convenience init(_ log: Recorder) {
        self.init()
        self.log = log
    }
    override func get() async throws {
        log?.add("begin")
        do {
            try await sleep(for: .seconds(60))
        } catch is CancellationError {
            log?.add("cancelled")
            throw CancellationError()
        }
    }
    override func onConnectionClose() { log?.add("gone") }
    override func onFinish() { log?.add("finish") }
}

private final class Chunks: RequestHandler {
    override func get() async throws {
        try write("a")
        try await flush()
        try write("bc")
        try await flush()
        try write("d")
    }
}

private final class Large: RequestHandler {
    override func get() async throws {
        let piece = [UInt8](repeating: 0x61, count: 100_000)
        for _ in 0..<50 {
            try write(piece)
            try await flush()
        }
    }
}

private final class Upload: RequestHandler {
    var total = 0
    var pieces = 0
    override class var streamsBody: Bool { true }
    override func dataReceived(_ chunk: [UInt8]) async throws {
        total += chunk.count
        pieces += 1
        if pieces % 3 == 0 { try await sleep(for: .milliseconds(1)) }
    }
    override func post() async throws { try write("\(total)") }
}

private final class Helpers: RequestHandler {
    override func get() async throws { try await part(1) }
    func part(_ number: Int) async throws {
        async let one = double(number)
        async let two = double(number + 1)
        try write("\(await one + two)")
    }
    override func loadCurrentUser() async throws -> String? { try query("user") }
    override func post() async throws { try write(try await requireUser()) }
}

private func double(_ number: Int) async -> Int { number * 2 }

/// Takes the body of those who say who they are.
private final class Guarded: RequestHandler {
    private var count = 0

    override class var streamsBody: Bool { true }

    override func prepare() async throws {
        try await sleep(for: .milliseconds(20))
        if path != "/upload" && request.header("User") == nil { throw HTTPError(403) }
    }

    private var path: String { request.path }
    override func dataReceived(_ chunk: [UInt8]) async throws { count += chunk.count }
    override func post() async throws { try write("\(count)") }
}

@Suite struct HandlerTests {
    private static func application(_ log: Recorder = Recorder()) -> Application {
        var settings = Settings.quiet
        settings.loginURL = "/login"
        settings.server.maxBodyBytes = 1 << 20
        return Application(settings: settings) {
            Route("/life", make: { Life(log) })
            Route("/misuse", Misuse.self)
            Route("/custom", Custom.self)
            Route("/slow", make: { Slow(log) })
            Route("/chunks", Chunks.self)
            Route("/large", Large.self)
            Route("/upload", Upload.self)
            Route("/helpers", Helpers.self)
            Route(get: "/sleep/{ms}") { (ms: Int) async throws in
                try await Gale.sleep(for: .milliseconds(ms))
                return "slept"
            }
        }
    }

    @Test("WEB-01: prepare, method, onFinish", arguments: TestMode.allCases)
    func life(_ mode: TestMode) async throws {
        let log = Recorder()
        try await Self.application(log).test(mode) { client in
            let response = try await client.get("/life")
            #expect(response.text == "ab")
            #expect(response.headers["Content-Type"] == "text/html; charset=UTF-8")  // WEB-07
            #expect(response.headers["Content-Length"] == "2")
            #expect(try await client.get("/life?stop=1").text == "stopped")
            #expect(try await client.get("/life?fail=1").status == 403)
            let posted = try await client.post("/life", form: ["x": "a b&c"])
            #expect(posted.status == 201)
            #expect(posted.text == #"{"x":"a b&c"}"#)
            let events = [
                "prepare", "get", "finish 200", "prepare", "finish 200", "prepare", "finish 403", "prepare", "post",
                "finish 201",
            ]
            #expect(try await log.wait(for: events.count) == events)
        }
    }

    @Test("WEB-03: Allow from the overrides")
    func allow() async throws {
        try await Self.application().test { client in
            let response = try await client.put("/life")
            #expect(response.status == 405)
            #expect(response.headers["Allow"] == "GET, HEAD, POST")
            #expect(response.body.count == 87)  // WEB-02
            #expect(try await client.post("/misuse").headers["Allow"] == "GET, HEAD")
        }
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let what: String
        let status: Int
        let body: String?
        var testDescription: String { what }
    }

    @Test(
        "misuse and errors never break the server",
        arguments: [
            Row(what: "status", status: 500, body: nil),
            Row(what: "header", status: 500, body: nil),  // WEB-10
            Row(what: "name", status: 500, body: nil),
            Row(what: "afterFinish", status: 200, body: "done"),
            Row(what: "204", status: 204, body: ""),  // WEB-30
            Row(what: "finish", status: 200, body: "so far"),  // WEB-29
            Row(what: "redirect", status: 500, body: nil),
            Row(what: "custom", status: 500, body: nil),
            Row(what: "", status: 301, body: ""),  // WEB-20
        ])
    func misuse(_ row: Row) async throws {
        try await Self.application().test { client in
            let response = try await client.get("/misuse?what=\(row.what)")
            #expect(response.status == row.status)
            if let body = row.body { #expect(response.text == body) }
            #expect(try await client.get("/sleep/0").text == "slept")
        }
    }

    @Test("an error after the head cuts the connection", arguments: ["afterFlush", "throwAfterFlush"])
    func cut(_ what: String) async throws {
        try await Self.application().test { client in
            await #expect(throws: TestError.self) { try await client.get("/misuse?what=\(what)") }
            let next = try await client.get("/sleep/0")
            #expect(next.text == "slept")
        }
    }

    @Test("WEB-28: writeError") func writeError() async throws {
        try await Self.application().test { client in
            let response = try await client.get("/custom")
            #expect(response.status == 404)
            #expect(response.text == "custom 404")
        }
    }

    @Test(
        "WEB-06: the client leaves: cancelled once, onConnectionClose, the server goes on", arguments: TestMode.allCases
    )
    func leaves(_ mode: TestMode) async throws {
        let log = Recorder()
        try await Self.application(log).test(mode) { client in
            for round in 1...3 {
                try await client.leave(after: .milliseconds(50), "GET", "/slow")
                let events = try await log.wait(for: round * 4)
                #expect(Array(events.suffix(4)) == ["begin", "gone", "cancelled", "finish"])
                #expect(events.count == round * 4)
            }
            #expect(try await client.get("/life").text == "ab")
        }
    }

    @Test("WEB-22, WEB-24: flush sends chunks", arguments: TestMode.allCases)
    func flush(_ mode: TestMode) async throws {
        try await Self.application().test(mode) { client in
            let text = try await client.raw("GET /chunks HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            #expect(text.hasSuffix("\r\n\r\n1\r\na\r\n2\r\nbc\r\n1\r\nd\r\n0\r\n\r\n"))
            #expect(try await client.get("/large").body.count == 5_000_000)
            #expect(try await client.head("/chunks").body.isEmpty)
        }
    }

    @Test("WEB-37: a streamed body", arguments: TestMode.allCases)
    func upload(_ mode: TestMode) async throws {
        try await Self.application().test(mode) { client in
            for count in [0, 1, 70_000, 900_000] {
                let body = [UInt8](repeating: 1, count: count)
                let response = try await client.request("POST", "/upload", body: body)
                #expect(response.text == "\(count)")
            }
        }
    }

    @Test("a body above the limit: 413") func tooLarge() async throws {
        try await Self.application().test { client in
            let body = [UInt8](repeating: 1, count: 1 << 21)
            let response = try await client.request("POST", "/life", body: body)
            #expect(response.status == 413)
        }
    }

    @Test("WEB-37: routes with limits of their own", arguments: TestMode.allCases) func limits(_ mode: TestMode)
        async throws
    {
        let app = Application(settings: .quiet) {
            Route(post: "/small") { (request: Request) in "\(request.body.count)" }.maxBody(10)
            Group("/large") { Route(post: "") { (request: Request) in "\(request.body.count)" }.maxBody(3 << 20) }
            Route("/upload", Guarded.self).maxBody(3 << 20)
            Route(post: "/usual") { (request: Request) in "\(request.body.count)" }
        }
        try await app.test(mode) { client in
            for (path, count, status) in [
                ("/small", 10, 200), ("/small", 11, 413), ("/large", 3 << 20, 200), ("/large", 3 << 20 + 1, 413),
                ("/upload", 3 << 20, 200), ("/upload", 3 << 20 + 1, 413), ("/usual", 1 << 20, 200),
                ("/usual", 1 << 20 + 1, 413),
            ] {
                let body = [UInt8](repeating: 1, count: count)
                let response = try await client.request("POST", path, body: body)
                #expect(response.status == status, "\(path) \(count)")
                if status == 200 { #expect(response.text == "\(count)") }
            }
        }
    }

    @Test("H1-06: a handler refuses before the body comes, or has it come") func expectation() async throws {
        let server = try Application(settings: .quiet) { Route("/", Guarded.self) }.start([]) { $0.workers = 1 }
        await server.ready()
        for (user, wants) in [("", "HTTP/1.1 403 "), ("User: ann\r\n", "HTTP/1.1 100 Continue\r\n\r\n")] {
            let client = try await MemoryConnection.open(to: server)
            client.send(
                Array("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\(user)\r\n".utf8))
            let first = String(decoding: await client.receive() ?? [], as: UTF8.self)
            #expect(first.hasPrefix(wants))
            if !user.isEmpty {
                client.send(Array("abc".utf8))
                let second = String(decoding: await client.receive() ?? [], as: UTF8.self)
                #expect(second.hasPrefix("HTTP/1.1 200 ") && second.hasSuffix("\r\n\r\n3"))
            }
            client.close()
        }
        server.stop()
        await server.join()
    }

    @Test("concurrent requests on one loop") func concurrent() async throws {
        try await Self.application().test { client in
            let started = ContinuousClock.now
            try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<200 { group.addTask { try await client.get("/sleep/300").text } }
                for try await text in group { #expect(text == "slept") }
            }
            #expect(ContinuousClock.now - started < .seconds(30))
            #expect(try await client.get("/helpers").text == "6")
        }
    }

    @Test("DEC-03: requireUser") func requireUser() async throws {
        try await Self.application().test { client in
            let anonymous = try await client.post("/helpers")
            #expect(anonymous.status == 403)
            #expect(try await client.post("/helpers?user=ann").text == "ann")
        }
    }
}
