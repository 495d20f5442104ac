import Gale
import Logging

// A server for black-box tests: the same on the wire as examples/c/echo.c.
//
//     /hello        "Hello, World!" from a closure
//     /hello-class  the same from a RequestHandler (this one only)
//     /ws           a WebSocket that echoes messages of up to 16 MiB
//     /broadcast    a WebSocket on which each message goes to all sockets
//     /body         the body of a POST, as it came
//     /static/      the folder given by --root
//     /client       whom the server takes the client for
//     all else      any method, any target: the request as JSON

final class HelloHandler: RequestHandler {
    override func get() async throws {
        try setHeader("Content-Type", "text/plain; charset=utf-8")
        try write("Hello, World!")
    }
}

final class EchoSocket: WebSocketHandler {
    override func message(_ text: String) async throws { try await send(text) }
    override func message(_ bytes: [UInt8]) async throws { try await send(bytes) }
    override func checkOrigin(_ origin: String) -> Bool { true }
}

final class BroadcastSocket: WebSocketHandler {
    private static let everybody = Topic("everybody")

    override func open() async throws { try subscribe(to: Self.everybody) }
    override func message(_ text: String) async throws { Self.everybody.publish(text) }
    override func message(_ bytes: [UInt8]) async throws { Self.everybody.publish(bytes) }
    override func checkOrigin(_ origin: String) -> Bool { true }
}

let options = Options.parse(CommandLine.arguments.dropFirst())

var settings = Settings()
settings.accessLog = false
settings.server = options.server

let app = Application(settings: settings) {
    Route(get: "/hello") { "Hello, World!" }
    Route(get: "/hello-class", HelloHandler.self)
    Route(get: "/ws", EchoSocket.self)
    Route(get: "/broadcast", BroadcastSocket.self)
    for path in ["/ws", "/broadcast"] { Route(head: path) { (request: Request) in EchoReply(request) } }
    Route(any: "/client") { ClientReply() }
    Route(post: "/body") { (request: Request) in request.body }
    if let root = options.root { StaticFiles("/static/", root: root) }
    Route(any: "{target...}") { (request: Request) in EchoReply(request) }
}
await app.main(listen: options.urls)
