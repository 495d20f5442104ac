// The suite's server on FlyingFox, its own way: routes, and its handler for a folder.
import FlyingFox
import FlyingSocks
import Foundation

let arguments = CommandLine.arguments
guard arguments.count == 5, arguments[1] == "--port", let port = UInt16(arguments[2]),
    arguments[3] == "--root"
else {
    print("usage: flyingfox-server --port PORT --root FOLDER")
    exit(2)
}

let server = HTTPServer(
    address: try sockaddr_in.inet(ip4: "127.0.0.1", port: port), timeout: 60, logger: .disabled)
await server.appendRoute("GET /hello") { _ in
    HTTPResponse(
        statusCode: .ok, headers: [.contentType: "text/plain"], body: Data("Hello, World!".utf8))
}
await server.appendRoute("POST /body") { request in
    HTTPResponse(
        statusCode: .ok, headers: [.contentType: "application/octet-stream"],
        body: try await request.bodyData)
}
await server.appendRoute(
    "GET /static/*",
    to: DirectoryHTTPHandler(root: URL(fileURLWithPath: arguments[4]), serverPath: "static"))
try await server.run()
