internal import GaleCore

extension Call {
    func setStatus(_ status: Int) throws(ResponseError) {
        try mayChangeHead()
        guard (200...599).contains(status) else { throw .invalidHeader("status \(status)") }
        self.status = status
    }

    func limitCompression(to codings: Codings) throws(ResponseError) {
        try mayChangeHead()
        do throws(CoreError) { try setCompression(codings) } catch { throw .clientGone }
    }

    func setHeader(_ name: String, _ value: String) throws(ResponseError) {
        try mayChangeHead()
        do throws(CoreError) { try fields.set(name, value) } catch { throw .invalidHeader(name) }
    }

    func addHeader(_ name: String, _ value: String) throws(ResponseError) {
        try mayChangeHead()
        do throws(CoreError) { try fields.add(name, value) } catch { throw .invalidHeader(name) }
    }

    func clearHeader(_ name: String) throws(ResponseError) {
        try mayChangeHead()
        fields.remove(name)
    }

    func mayChangeHead() throws(ResponseError) {
        if isSent || isStreaming { throw isFinished ? .finished : .headSent }
        if isFinished && !isDeferred { throw .finished }
    }

    /// Appends to the body; it is sent by `flush` or `finish`.
    func write(_ bytes: Span<UInt8>) throws(ResponseError) {
        if isFinished { throw .finished }
        output.append(copying: bytes)
    }

    /// A whole response: at once when nothing has been written and nobody waits to look at it.
    func send(span: Span<UInt8>, type: StaticString?) throws(ResponseError) {
        if isFinished { throw .finished }
        if isDeferred || isStreaming || !output.isEmpty || extrasIfAny != nil {
            self.type = self.type ?? type
            try write(span)
            return try finish()
        }
        isFinished = true
        isSent = true
        do throws(CoreError) {
            if fields.count == 0 {
                try respond(status: status, type: type, body: span)
            } else {
                try respond(status: status, type: type, fields: fields, body: span)
            }
        } catch {
            throw refused(error)
        }
    }

    /// The Content-Type if no field names one.
    func setDefaultType(_ type: StaticString?) { self.type = self.type ?? type }

    /// Ends the response: what has been written is the whole body, or the last piece of a streamed one (WEB-23).
    func finish() throws(ResponseError) {
        if isFinished { throw .finished }
        isFinished = true
        if isStreaming {
            do throws(CoreError) {
                if !output.isEmpty { _ = try sendOutput() }
                isSent = true
                try endStream()
            } catch {
                throw refused(error)
            }
        } else if !isDeferred {
            try sendWhole()
        }
    }

    func sendWhole() throws(ResponseError) {
        isSent = true
        addCookies()
        let type = status == 204 || status == 304 || (output.isEmpty && type == nil) ? nil : type
        do throws(CoreError) {
            // Moved out and back: what is only looked at would be retained.
            var body: [UInt8] = []
            swap(&body, &output)
            defer { swap(&body, &output) }
            try respond(status: status, type: type, fields: fields, body: body.span)
        } catch {
            throw refused(error)
        }
    }

    private func sendOutput() throws(CoreError) -> Bool {
        let piece = output
        output = []
        return try sendPiece(piece.span)
    }

    func addCookies() {
        guard let cookies = extrasIfAny?.newCookies else { return }
        // Checked when they were set.
        for cookie in cookies { try? fields.add("Set-Cookie", cookie.line) }
        extrasIfAny?.newCookies = []
    }

    /// Sends what has been written, and waits until the client has taken most of it (WEB-22).
    func flush() async throws {
        if isFinished { throw ResponseError.finished }
        do throws(CoreError) {
            if !isStreaming {
                addCookies()
                try begin(status: status, type: type ?? "text/html; charset=UTF-8", fields: fields, length: nil)
                isStreaming = true
            }
            let isFull: Bool
            if output.isEmpty {
                try sendQueued()
                isFull = false
            } else {
                isFull = try sendOutput()
            }
            if !isFull { return }
        } catch {
            throw refused(error)
        }
        try await waitForDrain()
    }

    /// The queue is long: waits until it is short again.
    func waitForDrain() async throws {
        let wakeup = Wakeup()
        drain = wakeup
        let drained = await wakeup.wait()
        try Task.checkCancellation()
        if !drained { throw ResponseError.clientGone }
    }

    func refused(_ error: CoreError) -> ResponseError {
        switch error {
        case .gone: .clientGone
        case .header: .invalidHeader(error.description)
        default: .refused(error.description)
        }
    }

    /// Forgets the response as far as it is made (WEB-07). Cookies stay, as in Tornado.
    func clear() {
        status = 200
        type = nil
        fields.removeAll()
        output.removeAll(keepingCapacity: true)
        isFinished = false
        isSent = false
    }

    // MARK: Errors

    /// Answers with what an error means; cuts a response that has begun. Nothing is left open.
    func fail(_ error: any Error) {
        if !isOpen { return }
        if error is Finish {
            if !isFinished { try? finish() }
            return
        }
        ErrorLog.write(self, error)
        if isStreaming || hasBegun {
            if !isFinished { abort() }
            isFinished = true
            return
        }
        let failure = Failure(error)
        clear()
        apply(failure)
        ErrorPage.write(failure.status, to: self)
        do {
            try finish()
        } catch {
            abort()
        }
    }

    /// Status and fields of an error.
    func apply(_ failure: Failure) {
        status = failure.status
        for field in failure.headers { try? fields.set(field.name, field.value) }
    }

    /// The index-th captured value, decoded. Throws 400 when it is no UTF-8 (WEB-05).
    func capture(_ index: Int) throws -> String {
        let range = captures[index]
        guard let text = withPath({ PercentCoding.text($0, range) }) else { throw HTTPError(400) }
        return text
    }

    /// The captured value of this name.
    func capture(named name: String) throws -> String? {
        guard let index = captureNames.firstIndex(of: name), index < captures.count else { return nil }
        return try capture(index)
    }
}
