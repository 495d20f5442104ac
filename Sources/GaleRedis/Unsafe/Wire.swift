internal import CGaleRedis
internal import GaleCore

/// One connection to Redis over `CGaleRedis`: the only place of this target with unsafe code. Loop thread.
final class Wire {
    /// What is told of it, on the loop. None within the calls below.
    protocol Owner: AnyObject {
        func opened(_ wire: Wire)
        /// One answer or message, in order.
        func came(_ value: RedisValue, on wire: Wire)
        func failed(_ wire: Wire, _ why: String)
    }

    /// The elements that one answer's arrays may have, all told.
    private static let maxElements = 1 << 20

    private unowned let owner: any Owner
    private let loop: ServiceLoop
    private var wire: OpaquePointer?

    /// Begins to connect. Throws `.away`.
    init(to place: RedisAddress.Place, maxAnswer: Int, on loop: ServiceLoop, owner: any Owner) throws(RedisError) {
        self.owner = owner
        self.loop = loop
        let (host, port): (String, Int) =
            switch place {
            case .host(let host, let port): (host, port)
            case .path(let path): (path, 0)
            }
        let limits = gale_wire_limits_t(bytes: max(maxAnswer, 1), elements: Wire.maxElements)
        let result = gale_wire_open(
            &wire, loop.uvLoop, host, Int32(port), limits, Wire.events, Unmanaged.passUnretained(self).toOpaque())
        if result < 0 { throw .away("cannot connect: \(CoreError.text(of: result))") }
    }

    /// No event comes after `close`, and who made it closes it: so the pointer it has of itself is good.
    deinit { close() }

    /// Sends the bytes with all others of this turn. False: there is no connection, or no memory.
    func send(_ bytes: [UInt8]) -> Bool {
        guard let wire else { return false }
        return bytes.withUnsafeBytes { gale_wire_send(wire, $0.baseAddress, $0.count) } == 0
    }

    /// Why it failed, which the owner may not have been told yet; nil while it hasn't.
    var trouble: String? {
        guard let wire else { return nil }
        let text = String(cString: gale_wire_error(wire))
        return text.isEmpty ? nil : text
    }

    /// Ends it.
    func close() {
        guard let wire else { return }
        self.wire = nil
        gale_wire_close(wire)
    }

    private func readAll() {
        // `came` may close it.
        while let wire, let reply = gale_wire_next(wire) {
            let value = RedisValue(reply)
            gale_reply_free(reply)
            owner.came(value, on: self)
        }
    }

    private static func with(_ data: UnsafeMutableRawPointer?, _ body: (Wire) -> Void) {
        guard let data else { return }
        let wire = Unmanaged<Wire>.fromOpaque(data).takeUnretainedValue()
        wire.loop.callback { body(wire) }
    }

    // Of the whole process, since a wire outlives its object by a turn of the loop.
    private nonisolated(unsafe) static let events: UnsafePointer<gale_wire_events_t> = {
        let events = UnsafeMutablePointer<gale_wire_events_t>.allocate(capacity: 1)
        events.initialize(
            to: gale_wire_events_t(
                opened: { data in Wire.with(data) { $0.owner.opened($0) } },
                came: { data in Wire.with(data) { $0.readAll() } },
                failed: { data in
                    Wire.with(data) { wire in
                        guard let why = wire.trouble else { return }
                        wire.owner.failed(wire, why)
                    }
                }))
        return UnsafePointer(events)
    }()
}

extension RedisValue {
    /// A copy. The reader has bounded how deep and how large it is.
    fileprivate init(_ reply: OpaquePointer) {
        switch gale_reply_kind(reply) {
        case GALE_REPLY_INTEGER: self = .integer(Int(gale_reply_integer(reply)))
        case GALE_REPLY_STRING: self = .bytes(RedisValue.bytes(of: reply))
        case GALE_REPLY_STATUS: self = .status(String(decoding: RedisValue.bytes(of: reply), as: UTF8.self))
        case GALE_REPLY_ERROR: self = .error(String(decoding: RedisValue.bytes(of: reply), as: UTF8.self))
        case GALE_REPLY_ARRAY:
            let count = gale_reply_count(reply)
            var elements: [RedisValue] = []
            elements.reserveCapacity(count)
            for index in 0..<count { elements.append(gale_reply_at(reply, index).map { RedisValue($0) } ?? .null) }
            self = .array(elements)
        default: self = .null
        }
    }

    private static func bytes(of reply: OpaquePointer) -> [UInt8] {
        var count = 0
        let start = gale_reply_bytes(reply, &count)
        return Array(UnsafeRawBufferPointer(start: start, count: count))
    }
}
