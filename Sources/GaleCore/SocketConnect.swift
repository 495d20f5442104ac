internal import CGale

/// What a server answered to a client's handshake. A value of any thread.
public struct SocketAnswer: Sendable {
    /// Its status; 0 when there was no answer.
    public let status: Int
    /// The subprotocol it chose.
    public let subprotocol: String?
    /// Its fields, in their order.
    public let headers: [(name: String, value: String)]

    init(_ socket: OpaquePointer) {
        status = Int(gale_ws_answer_status(socket))
        let chosen = gale_ws_answer_subprotocol(socket).buffer
        subprotocol = chosen.isEmpty ? nil : String(decoding: chosen, as: UTF8.self)
        var fields: UnsafePointer<gale_header_t>?
        let count = gale_ws_answer_headers(socket, &fields)
        headers = UnsafeBufferPointer(start: fields, count: count).map {
            (String(decoding: $0.name.buffer, as: UTF8.self), String(decoding: $0.value.buffer, as: UTF8.self))
        }
    }
}

extension Socket {
    /// Opens it as a client: `opened` or `failed` follows, not before this returns. Throws `CoreError` when nothing was
    /// begun.
    public final func connect(to url: String, _ options: WebSocketClientOptions) throws(CoreError) {
        var handler = SocketCallbacks.table
        var made: OpaquePointer?
        let data = Unmanaged.passRetained(self)
        do throws(CoreError) {
            let result = try options.withCore { core in
                core.on_open = { socket, data in
                    SocketCallbacks.enter(data) { $0.opened(SocketAnswer(socket)) }
                }
                var url = url
                return url.withUTF8 {
                    gale_ws_connect(worker.pointer, gale_str_t($0), &handler, data.toOpaque(), &core, &made)
                }
            }
            try check(result)
        } catch {
            data.release()
            throw error
        }
        pointer = made
    }
}
