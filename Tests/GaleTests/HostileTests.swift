import GaleTesting
import Testing

@testable import Gale

/// Puts the client's text wherever an application could.
private final class Careless: RequestHandler {
    override func get() async throws {
        let text = try queryAll("text").last ?? ""
        let bytes = try call?.arguments(.query).last { $0.name == "text" }?.value ?? text
        switch try query("where") {
        case "header": try setHeader("X-A", bytes)
        case "another": try addHeader("X-A", bytes)
        case "name": try setHeader(bytes, "a")
        case "cookie": try setCookie("a", bytes)
        case "error": throw HTTPError(400, bytes)
        case "field": throw HTTPError(400, headers: [("X-A", bytes)])
        case "unknown": throw HTTPError(499, bytes)
        default: try write("ok")
        }
        try write("set")
    }
    override func post() async throws { try write("\(try form("a") ?? "none")") }
}

@Suite struct HostileTests {
    private static func application(_ log: Recorder) -> Application {
        Application(settings: .recording(log)) {
            Route("/", Careless.self)
            Route(post: "/closure") { (request: Request) in try request.files().count.description }
        }
    }

    @Test(
        "WEB-10, Advisory A5: what would end a line is refused, and nothing of it is sent",
        arguments: ["%0d%0a", "%0a", "%0d", "%00", "%7f"])
    func lines(_ end: String) async throws {
        try await Self.application(Recorder()).test { client in
            for place in ["header", "another", "name", "cookie", "field"] {
                let text = "x\(end)Set-Cookie:%20evil=1"
                let answer = try await client.raw(
                    "GET /?where=\(place)&text=\(text) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                #expect(answer.hasPrefix(place == "field" ? "HTTP/1.1 400 " : "HTTP/1.1 500 "), "\(place)")
                #expect(!answer.contains("evil"), "\(place)")
            }
        }
    }

    @Test("WEB-28, Advisory A20: nothing of the client's is in a reason or in an error page") func reasons()
        async throws
    {
        try await Self.application(Recorder()).test { client in
            for (place, status, reason) in [("error", 400, "Bad Request"), ("unknown", 499, "Unknown")] {
                let answer = try await client.get("/?where=\(place)&text=%3Cscript%3Eevil%0d%0aX-Evil:%20evil")
                #expect(answer.status == status && answer.reason == reason)
                let page = "<html><title>\(status): \(reason)</title><body>\(status): \(reason)</body></html>"
                #expect(answer.text == page)
                #expect(answer.headers["X-Evil"] == nil)
            }
            let missing = try await client.get("/%3Cscript%3Eevil")
            #expect(missing.status == 404 && !missing.text.contains("evil"))
        }
    }

    private static let bad = "--1234\r\nContent-Disposition: \"\r\n\r\nx\r\n"

    private static let bodies = [
        String(repeating: bad, count: 90) + "--1234--",
        String(repeating: "--1234\r\nX\r\n\r\n", count: 90) + "--1234--",
        String(repeating: bad, count: 5000), "junk", String(repeating: "\r\n--1234", count: 5000), "",
    ]

    /// One for what is wrong with it, one for the request.
    @Test("HU-16, Advisory A18: however much is wrong in a body, it is two lines of log") func floods() async throws {
        for (index, body) in Self.bodies.enumerated() {
            for path in ["/", "/closure"] {
                let log = Recorder()
                try await Self.application(log).test { client in
                    let type = ["Content-Type": "multipart/form-data; boundary=1234"]
                    let answer = try await client.post(path, body: body, headers: type)
                    #expect(answer.status == 400)
                }
                #expect((1...2).contains(log.events.count), "body \(index): \(log.events.count) lines")
            }
        }
    }

    @Test("HU-13, Advisory A18, A32, A36: a thousand fields, of a body or of a query, and two lines of log")
    func fields() async throws {
        let log = Recorder()
        try await Self.application(log).test { client in
            let form = ["Content-Type": "application/x-www-form-urlencoded"]
            let many = String(repeating: "a&", count: 1000)
            let full = try await client.post("/", body: many, headers: form)
            #expect(full.status == 200)
            #expect(try await client.get("/?\(many)").status == 200)
            let before = log.events.count
            #expect(try await client.post("/", body: many + "a", headers: form).status == 400)
            #expect(log.events.count <= before + 2)
            #expect(try await client.get("/?\(many)a").status == 400)
            #expect(log.events.count <= before + 4)
        }
    }
}
