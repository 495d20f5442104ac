import Gale

/// Whom the server takes the client for, as JSON: byte for byte what examples/c/echo/client.c says.
struct ClientReply: Reply {
    func reply(to request: Request) throws {
        // Scheme and host are valid, and so without quotes.
        let host = String(decoding: request.host.utf8.prefix(256), as: UTF8.self)
        let json = """
            {"address": "\(request.remoteAddress)", "port": \(request.remotePort), "peer": "\(request.peerAddress)", \
            "scheme": "\(request.scheme)", "host": "\(host)", "same_origin": \(request.isSameOrigin), \
            "worker": \(request.worker)}
            """
        try request.response.send(Array(json.utf8), type: "application/json")
    }
}
