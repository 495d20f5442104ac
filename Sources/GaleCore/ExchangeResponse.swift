internal import CGale

extension Exchange {
    /// Sends a whole response without fields but Content-Type. Throws `CoreError`: gone, state, header.
    public final func respond(status: Int, type: StaticString?, body: Span<UInt8>) throws(CoreError) {
        let request = try live()
        let result = body.withUnsafeBufferPointer { body in
            guard let type else {
                return gale_respond(request, Int32(truncatingIfNeeded: status), nil, 0, gale_str_t(body))
            }
            var field = GaleCore.header(contentTypeName, type)
            return gale_respond(request, Int32(truncatingIfNeeded: status), &field, 1, gale_str_t(body))
        }
        try check(result)
    }

    /// Sends a whole response. `type` is its Content-Type if no field names one.
    public final func respond(
        status: Int, type: StaticString?, fields: FieldBlock, body: Span<UInt8>
    ) throws(CoreError) {
        let request = try live()
        try fields.withHeaders(type: type) { (headers, count) throws(CoreError) in
            let result = body.withUnsafeBufferPointer {
                gale_respond(request, Int32(truncatingIfNeeded: status), headers, count, gale_str_t($0))
            }
            try check(result)
        }
    }

    /// Begins a streamed response. `length` nil: not known.
    public final func begin(
        status: Int, type: StaticString?, fields: FieldBlock, length: Int?
    ) throws(CoreError) {
        let request = try live()
        try fields.withHeaders(type: type) { (headers, count) throws(CoreError) in
            let length = length.map(Int64.init) ?? -1
            try check(gale_resp_begin(request, Int32(truncatingIfNeeded: status), headers, count, length))
        }
    }

    /// Writes a piece of a streamed response and sends it. True: the queue is long, `drained` tells when it isn't.
    public final func sendPiece(_ bytes: Span<UInt8>) throws(CoreError) -> Bool {
        let request = try live()
        let result = try check(bytes.withUnsafeBufferPointer { gale_resp_write(request, gale_str_t($0)) })
        if let pointer { try check(gale_resp_flush(pointer)) }
        return result == 1
    }

    /// Sends what is written so far: only the head, when nothing is.
    public final func sendQueued() throws(CoreError) {
        try check(gale_resp_flush(try live()))
    }

    /// Ends a streamed response.
    public final func endStream() throws(CoreError) {
        try check(gale_resp_end(try live(), nil, 0))
    }

    /// Cuts the connection, so that the client sees that the response is incomplete.
    public final func abort() {
        if let pointer { gale_resp_abort(pointer) }
    }

    /// Serves `path`, percent-encoded, from a folder. Nil: it is answered; else the status to answer with.
    public final func serve(
        _ path: Span<UInt8>, from files: FileTree, fields: FieldBlock
    ) throws(CoreError) -> Int? {
        let request = try live()
        return try fields.withHeaders(type: nil) { (headers, count) throws(CoreError) in
            let result = path.withUnsafeBufferPointer {
                gale_files_serve(files.pointer, request, gale_str_t($0), headers, count)
            }
            return try check(result) == 0 ? nil : Int(result)
        }
    }
}
