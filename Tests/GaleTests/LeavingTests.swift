import GaleCore
import Testing

@testable import Gale
@testable import GaleTesting

/// A request of the core, without the layer above: waits until its task is cancelled.
private final class WaitingExchange: Exchange, LoopWork {
    private let log: Recorder
    private var task: LoopTask?

    init(_ log: Recorder, on worker: Worker) {
        self.log = log
        super.init(on: worker)
    }

    override func received() {
        task = worker.tasks(for: WaitingExchange.self).start(self)
    }

    func perform() async {
        log.add("begin")
        do {
            _ = try await Worker.wait(for: Wakeup(), atMost: .seconds(60))
        } catch {
            log.add("cancelled \(Task.isCancelled)")
        }
    }

    override func ended(_ outcome: Outcome) {
        if case .failed = outcome { log.add("done") } else { log.add("answered") }
        task?.cancel()
    }
}

private final class WaitingServer: ServerDelegate {
    private let log: Recorder
    init(_ log: Recorder) { self.log = log }
    func makeExchange(on worker: Worker) -> Exchange { WaitingExchange(log, on: worker) }
    func workerStarted(_ worker: Worker) {}
    func workerStopped(_ worker: Worker) { log.add("stopped") }
    func stopping() {}
}

/// Waits until the client leaves, and tries to answer then.
private final class Late: RequestHandler {
    var log: Recorder?

    convenience init(_ log: Recorder) {
        self.init()
        self.log = log
    }

    override func get() async throws {
        log?.add("begin")
        do {
            try await sleep(for: .seconds(60))
        } catch {
            log?.add("cancelled \(Task.isCancelled)")
            do {
                try finish("too late")
                log?.add("finished")
            } catch {
                log?.add("\(error)")
            }
            throw error
        }
    }

    override func onConnectionClose() { log?.add("gone") }
    override func onFinish() { log?.add("finish") }
}

/// Sends much, and logs each piece that the client has made room for.
private final class Fountain: RequestHandler {
    static let piece = 100_000
    static let count = 40
    var log: Recorder?

    convenience init(_ log: Recorder) {
        self.init()
        self.log = log
    }

    override func get() async throws {
        let piece = [UInt8](repeating: 0x61, count: Self.piece)
        do {
            for index in 1...Self.count {
                try write(piece)
                try await flush()
                log?.add("piece \(index)")
            }
        } catch {
            log?.add("\(type(of: error))")
            throw error
        }
    }

    override func onConnectionClose() { log?.add("gone") }
}

/// Takes the first piece of a body when told to; meanwhile no more may pile up.
private final class Holding: RequestHandler {
    private var told: Condition?
    private var log: Recorder?
    private var total = 0

    convenience init(_ told: Condition, _ log: Recorder) {
        self.init()
        self.told = told
        self.log = log
    }

    override class var streamsBody: Bool { true }

    override func dataReceived(_ chunk: [UInt8]) async throws {
        if total == 0 {
            log?.add("holding")
            _ = try await told?.wait(for: .seconds(10))
            log?.add("pending \(call?.extrasIfAny?.body?.pending ?? -1)")
        }
        total += chunk.count
    }

    override func post() async throws { try write("\(total)") }
}

@Suite struct LeavingTests {
    private static func stream(to server: Server, _ mode: TestMode) async throws -> any ByteStream {
        switch mode {
        case .live: return try LiveConnection(port: server.port())
        case .memory: return try await MemoryConnection.open(to: server)
        }
    }

    @Test("WEB-06: on_done once, the task cancelled, for a client that leaves", arguments: TestMode.allCases)
    func core(_ mode: TestMode) async throws {
        let log = Recorder()
        var configuration = ServerConfiguration()
        configuration.workers = 1
        let server = try Server(configuration, delegate: WaitingServer(log))
        if mode == .live { try server.listen("http://127.0.0.1:0") }
        try server.start()
        await server.ready()
        for round in 1...3 {
            let stream = try await Self.stream(to: server, mode)
            stream.send(Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
            _ = try await log.wait(for: round * 3 - 2)
            stream.close()
            #expect(Array(try await log.wait(for: round * 3).suffix(3)) == ["begin", "done", "cancelled true"])
        }
        server.stop()
        await server.join()
        #expect(log.events.count == 10)
    }

    @Test("WEB-06: what a handler writes after its client has left is refused", arguments: TestMode.allCases)
    func late(_ mode: TestMode) async throws {
        let log = Recorder()
        let app = Application(settings: .quiet) { Route("/", make: { Late(log) }) }
        try await app.test(mode) { client in
            try await client.leave(after: .milliseconds(30), "GET", "/")
            #expect(try await log.wait(for: 5) == ["begin", "gone", "cancelled true", "clientGone", "finish"])
        }
        #expect(log.events.count == 5)
    }

    @Test("WEB-22: flush waits for a slow reader, and ends when it leaves", arguments: [false, true])
    func slowReader(_ leaves: Bool) async throws {
        let log = Recorder()
        let app = Application(settings: .quiet) { Route("/", make: { Fountain(log) }) }
        let server = try app.start([]) { $0.workers = 1 }
        await server.ready()
        let client = try await MemoryConnection.open(to: server)
        client.stall(true)
        client.send(Array("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8))
        try await Task.sleep(for: .milliseconds(200))
        // What fits into the queue of 64 KiB is one piece, which is awaited.
        #expect(log.events.count <= 1)
        if leaves {
            client.close()
            #expect(try await log.wait(for: 2) == ["gone", "CancellationError"])
        } else {
            client.stall(false)
            var received = 0
            while let bytes = await client.receive() { received += bytes.count }
            #expect(received > Fountain.piece * Fountain.count)
            #expect(try await log.wait(for: Fountain.count).last == "piece \(Fountain.count)")
        }
        server.stop()
        await server.join()
        #expect(log.events.count == (leaves ? 2 : Fountain.count))
    }

    @Test("WEB-37: a handler that awaits holds the body back", arguments: TestMode.allCases)
    func upload(_ mode: TestMode) async throws {
        let (told, log) = (Condition(), Recorder())
        var settings = Settings.quiet
        settings.server.maxBodyBytes = 1 << 24
        let app = Application(settings: settings) { Route("/", make: { Holding(told, log) }) }
        try await app.test(mode) { client in
            let body = [UInt8](repeating: 1, count: 6_000_000)
            async let response = client.request("POST", "/", body: body)
            _ = try await log.wait(for: 1)
            try await Task.sleep(for: .milliseconds(100))
            told.notifyAll()
            #expect(try await response.text == "6000000")
            #expect(log.events == ["holding", "pending 0"])
        }
    }
}
