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
public enum Signals {
    /// The server that signals stop, as an address, because a signal handler may not do more than read a word.
    private static let target = Atomic<UInt>(0)
    private static let received = Atomic<Int32>(0)

    /// Lets signals stop this server until `release`. One server in a process; false when another one has them.
    public static func claim(_ server: Server) -> Bool {
        let address = UInt(bitPattern: server.pointer)
        let exchange = target.compareExchange(expected: 0, desired: address, ordering: .sequentiallyConsistent)
        guard exchange.exchanged else { return false }
        received.store(0, ordering: .relaxed)
        for number in [SIGINT, SIGTERM] { _ = signal(number, handler) }
        return true
    }

    /// Gives the signals their default action back. The signal that came, or nil.
    @discardableResult
    public static func release() -> Int32? {
        for number in [SIGINT, SIGTERM] { _ = signal(number, SIG_DFL) }
        target.store(0, ordering: .sequentiallyConsistent)
        let number = received.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    private static let handler: @convention(c) (Int32) -> Void = { number in
        Signals.received.store(number, ordering: .relaxed)
        guard let server = OpaquePointer(bitPattern: Signals.target.load(ordering: .relaxed)) else { return }
        gale_server_stop(server)
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
