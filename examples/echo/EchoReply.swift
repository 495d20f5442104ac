import Gale

/// The request as JSON, written by hand; 404 for a WebSocket's handshake (RFC 6455 4.2.2).
struct EchoReply: Reply {
    private var json: [UInt8] = []

    init(_ request: Request) {
        if request.wantsWebSocket && request.header("Sec-WebSocket-Key") != nil { return }
        json.append(contentsOf: "{\"method\": ".utf8)
        request.withMethod { put($0) }
        json.append(contentsOf: ", \"target\": ".utf8)
        request.withTarget { put($0) }
        json.append(contentsOf: ", \"headers\": [".utf8)
        var isFirst = true
        request.forEachHeader { name, value in
            json.append(contentsOf: (isFirst ? "[" : ", [").utf8)
            isFirst = false
            put(name)
            json.append(contentsOf: ", ".utf8)
            put(value)
            json.append(UInt8(ascii: "]"))
        }
        json.append(contentsOf: "], \"body_b64\": \"".utf8)
        request.withBody { Base64.encode($0, into: &json) }
        json.append(contentsOf: "\"}".utf8)
    }

    func reply(to request: Request) throws {
        let response = request.response
        if !json.isEmpty { return try response.send(json, type: "application/json") }
        try response.setStatus(404)
        try response.send("no WebSocket here\n", type: "text/plain; charset=utf-8")
    }

    /// A JSON string; bytes that are no ASCII as the characters of Latin-1.
    private mutating func put(_ text: Span<UInt8>) {
        json.append(UInt8(ascii: "\""))
        for index in text.indices {
            let byte = text[index]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                json.append(UInt8(ascii: "\\"))
                json.append(byte)
            } else if byte < 0x20 || byte >= 0x7f {
                json.append(contentsOf: "\\u00".utf8)
                json.append(EchoReply.hex[Int(byte >> 4)])
                json.append(EchoReply.hex[Int(byte & 15)])
            } else {
                json.append(byte)
            }
        }
        json.append(UInt8(ascii: "\""))
    }

    private static let hex = Array("0123456789abcdef".utf8)
}
