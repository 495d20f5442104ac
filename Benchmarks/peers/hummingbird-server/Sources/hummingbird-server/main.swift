import Foundation
// The suite's server on Hummingbird, its own way: a router, and its middleware for files.
import Hummingbird
import Logging
import NIOPosix

let arguments = CommandLine.arguments
guard arguments.count == 5, arguments[1] == "--port", let port = Int(arguments[2]),
    arguments[3] == "--root"
else {
    print("usage: hummingbird-server --port PORT --root FOLDER")
    exit(2)
}

// One event loop, as every server of the suite has one thread for its sockets.
let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)

// Information lines only at start, so that the log costs nothing while it is measured.
var logger = Logger(label: "hummingbird-server")
logger.logLevel = .error

let router = Router()
router.add(
    middleware: FileMiddleware(arguments[4], urlBasePath: "/static", searchForIndexHtml: false))
router.get("/hello") { _, _ in "Hello, World!" }
router.post("/body") { request, _ in
    try await request.body.collect(upTo: 1024)
}

let application = Application(
    router: router,
    configuration: .init(address: .hostname("127.0.0.1", port: port), serverName: "hummingbird"),
    eventLoopGroupProvider: .shared(loops),
    logger: logger
)
try await application.runService()
