internal import CGale

/// What a server has done since its start, and what it holds now: all workers together. A value of any thread.
public struct ServerStats: Sendable, Equatable {
    /// Connections accepted.
    public let connectionsAccepted: Int
    /// Connections turned away: a limit, no descriptor, no memory.
    public let connectionsRefused: Int
    /// Idle connections that were closed to make room.
    public let connectionsEvicted: Int
    /// Connections that are open now.
    public let connectionsOpen: Int
    /// Requests with a complete and valid head.
    public let requests: Int
    /// Responses by the first digit of their status, from 1 to 5; refusals count too.
    public let responses: [Int]
    /// Bytes received.
    public let bytesIn: Int
    /// Bytes taken by the system to be sent.
    public let bytesOut: Int
    /// Requests refused by the core, by what it answered.
    public let refused: Refused
    /// Connections that took too long, by what they were at.
    public let timeouts: Timeouts
    /// WebSockets that are open now.
    public let webSocketsOpen: Int
    /// WebSockets that were opened from here, as a client.
    public let connects: Int
    /// And those that could not be.
    public let connectsFailed: Int
    /// Their connections that are open now, or being opened; not part of `connectionsOpen`.
    public let connectsOpen: Int
    /// Messages of WebSockets received.
    public let messagesIn: Int
    /// Messages of WebSockets sent.
    public let messagesOut: Int
    /// How late the latest deadline was noticed: for so long its loop was held up. Of the worst worker.
    public let loopLag: Duration
    /// Read buffers of 64 KiB that are in use now.
    public let blocksHeld: Int

    /// Requests refused, by kind.
    public struct Refused: Sendable, Equatable {
        /// 400.
        public let syntax: Int
        /// 414.
        public let target: Int
        /// 431.
        public let head: Int
        /// 413.
        public let body: Int
        /// 417, 501, 505 and others.
        public let other: Int
    }

    /// Timeouts, by phase.
    public struct Timeouts: Sendable, Equatable {
        /// Of the head: 408.
        public let header: Int
        /// Of the body: 408.
        public let body: Int
        /// Between requests: the end of most connections.
        public let idle: Int
        /// Of a client that takes nothing.
        public let write: Int
        /// Of a client that never answered the end.
        public let close: Int
    }

    init(_ core: gale_stats_t) {
        func int(_ value: UInt64) -> Int { Int(clamping: value) }
        connectionsAccepted = int(core.connections_accepted)
        connectionsRefused = int(core.connections_refused)
        connectionsEvicted = int(core.connections_evicted)
        connectionsOpen = int(core.connections_open)
        requests = int(core.requests)
        responses = [
            core.responses_1xx, core.responses_2xx, core.responses_3xx, core.responses_4xx, core.responses_5xx,
        ].map(int)
        bytesIn = int(core.bytes_in)
        bytesOut = int(core.bytes_out)
        refused = Refused(
            syntax: int(core.bad_syntax), target: int(core.bad_target), head: int(core.bad_head),
            body: int(core.bad_body), other: int(core.bad_other))
        timeouts = Timeouts(
            header: int(core.timeouts_header), body: int(core.timeouts_body), idle: int(core.timeouts_idle),
            write: int(core.timeouts_write), close: int(core.timeouts_close))
        webSocketsOpen = int(core.websockets_open)
        connects = int(core.connects)
        connectsFailed = int(core.connects_failed)
        connectsOpen = int(core.connects_open)
        messagesIn = int(core.messages_in)
        messagesOut = int(core.messages_out)
        loopLag = .milliseconds(int(core.loop_lag_ms))
        blocksHeld = int(core.blocks_held)
    }
}

extension Server {
    /// Counters of all workers. Any thread.
    public var stats: ServerStats {
        var core = gale_stats_t()
        core.struct_size = MemoryLayout<gale_stats_t>.size
        gale_stats(pointer, &core)
        return ServerStats(core)
    }
}
