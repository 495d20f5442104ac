import Foundation
// Hello, World! on Hummingbird, its own way: a router with one route and no middleware.
import Hummingbird
import Logging
import NIOPosix

let arguments = CommandLine.arguments
guard arguments.count == 3, arguments[1] == "--port", let port = Int(arguments[2]) else {
    print("usage: hummingbird-hello --port PORT")
    exit(2)
}

// One event loop, as every server of the suite has one thread for its sockets.
let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)

// Information lines only at start, so that the log costs nothing while it is measured.
var logger = Logger(label: "hummingbird-hello")
logger.logLevel = .error

let router = Router()
router.get("/hello") { _, _ in "Hello, World!" }

let application = Application(
    router: router,
    configuration: .init(address: .hostname("127.0.0.1", port: port), serverName: "hummingbird"),
    eventLoopGroupProvider: .shared(loops),
    logger: logger
)
try await application.runService()
