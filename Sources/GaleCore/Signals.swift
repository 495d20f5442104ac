internal import CGale
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// SIGINT and SIGTERM stop a server; the second one cuts.
///
/// A signal handler may not do more than read a word and write a byte, so a thread of its own stops the server.
public enum Signals {
    /// The server that signals stop, as an address: for the signals after the first.
    private static let target = Atomic<UInt>(0)
    private static let received = Atomic<Int32>(0)
    private static let server = Guarded<Server?>(nil)
    /// From the handler to the thread that waits for it; made once for the process, -1 when it could not be.
    private static let pipeEnd = startThread()
    private static let readingEnd = Atomic<Int32>(-1)
    private static let writingEnd = Atomic<Int32>(-1)

    /// Lets signals stop this server until `release`. One server in a process; false when another one has them.
    public static func claim(_ server: Server) -> Bool {
        let address = UInt(bitPattern: server.pointer)
        let exchange = target.compareExchange(expected: 0, desired: address, ordering: .sequentiallyConsistent)
        guard exchange.exchanged else { return false }
        received.store(0, ordering: .relaxed)
        self.server.withLock { $0 = server }
        writingEnd.store(pipeEnd, ordering: .relaxed)
        for number in [SIGINT, SIGTERM] { _ = signal(number, handler) }
        return true
    }

    /// Gives the signals their default action back; when one has stopped the server only after the next, which was
    /// meant for the server too if it comes now. The signal that came, or nil.
    @discardableResult
    public static func release() -> Int32? {
        let received = received.load(ordering: .relaxed)
        for number in [SIGINT, SIGTERM] { _ = signal(number, received == 0 ? SIG_DFL : last) }
        target.store(0, ordering: .sequentiallyConsistent)
        server.withLock { $0 = nil }
        return received == 0 ? nil : received
    }

    private static let last: @convention(c) (Int32) -> Void = { number in _ = signal(number, SIG_DFL) }

    private static let handler: @convention(c) (Int32) -> Void = { number in
        let isFirst = Signals.received.exchange(number, ordering: .relaxed) == 0
        let descriptor = Signals.writingEnd.load(ordering: .relaxed)
        if isFirst && descriptor >= 0 {
            let error = errno
            var byte: UInt8 = 0
            let written = write(descriptor, &byte, 1)
            errno = error
            if written == 1 { return }
        }
        guard let server = OpaquePointer(bitPattern: Signals.target.load(ordering: .relaxed)) else { return }
        gale_server_stop(server)
    }

    /// Starts the thread; gives the end of its pipe to write to.
    private static func startThread() -> Int32 {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return -1 }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        readingEnd.store(ends[0], ordering: .sequentiallyConsistent)
        #if canImport(Darwin)
            var thread: pthread_t?
            let result = pthread_create(&thread, nil, { _ in Signals.wait() }, nil)
            if let thread { pthread_detach(thread) }
        #else
            var thread = pthread_t()
            let result = pthread_create(&thread, nil, { _ in Signals.wait() }, nil)
            if result == 0 { pthread_detach(thread) }
        #endif
        return result == 0 ? ends[1] : -1
    }

    /// The thread: for as long as the process lives.
    private static func wait() -> UnsafeMutableRawPointer? {
        var byte: UInt8 = 0
        while true {
            let count = read(readingEnd.load(ordering: .relaxed), &byte, 1)
            if count == 1 { server.withLock { $0 }?.stop() } else if count == 0 || errno != EINTR { return nil }
        }
    }
}

/// The process as a whole.
public enum CurrentProcess {
    /// Prints one line on stderr and ends the process with status 1.
    public static func fail(_ line: String) -> Never {
        Standard.error(line + "\n")
        exit(1)
    }
}

/// The standard streams.
public enum Standard {
    /// Writes to stderr, in one piece.
    public static func error(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while let base = rest.baseAddress, !rest.isEmpty {
                let written = write(2, base, rest.count)
                if written <= 0 { return }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
            }
        }
    }
}
