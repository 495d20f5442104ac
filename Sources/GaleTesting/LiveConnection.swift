internal import GaleCore

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// A TCP connection to 127.0.0.1, with a thread that reads: no further than a test that doesn't look at it lets it, so
/// that a slow client is one. The one file of GaleTesting with unsafe code.
final class LiveConnection: ByteStream {
    private static let mostUnread = 256 << 10
    private let descriptor: Int32
    private let inbox = Guarded(Inbox())
    private let room = Gate()

    private struct Inbox {
        var bytes: [UInt8] = []
        var isClosed = false
        var waiter: CheckedContinuation<[UInt8]?, Never>?

        mutating func take() -> [UInt8]? {
            if bytes.isEmpty { return nil }
            defer { bytes = [] }
            return bytes
        }

        var isFull: Bool { bytes.count >= LiveConnection.mostUnread && !isClosed }
    }

    /// Connects. Throws `TestError`.
    init(port: Int) throws {
        #if canImport(Glibc)
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(truncatingIfNeeded: port)).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result != 0 {
            _ = systemClose(descriptor)
            throw TestError("cannot connect to 127.0.0.1:\(port): \(String(cString: strerror(errno)))")
        }
        startReading()
    }

    deinit { _ = systemClose(descriptor) }

    private func startReading() {
        let box = Unmanaged.passRetained(self)
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        let result = pthread_create(&thread, nil, readAll, box.toOpaque())
        if result == 0 {
            #if canImport(Darwin)
                if let thread { pthread_detach(thread) }
            #else
                pthread_detach(thread)
            #endif
        } else {
            box.release()
            arrived(nil)
        }
    }

    fileprivate func read() {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return arrived(nil) }
            arrived(Array(buffer[..<count]))
            room.wait { inbox.withLock { !$0.isFull } }
        }
    }

    private func arrived(_ bytes: [UInt8]?) {
        let resumption = inbox.withLock { inbox -> (CheckedContinuation<[UInt8]?, Never>, [UInt8]?)? in
            if let bytes { inbox.bytes += bytes } else { inbox.isClosed = true }
            guard let waiter = inbox.waiter else { return nil }
            inbox.waiter = nil
            return (waiter, inbox.take())
        }
        if let (waiter, bytes) = resumption { waiter.resume(returning: bytes) }
    }

    func receive() async -> [UInt8]? {
        await withCheckedContinuation { continuation in
            let now: [UInt8]?? = inbox.withLock { inbox in
                if inbox.bytes.isEmpty && !inbox.isClosed {
                    inbox.waiter = continuation
                    return .none
                }
                return .some(inbox.take())
            }
            if let now { continuation.resume(returning: now) }
            room.open()
        }
    }

    func send(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = UnsafeRawBufferPointer(rebasing: rest)
                let sent = systemSend(descriptor, piece.baseAddress, piece.count)
                if sent < 0 && errno == EINTR { continue }
                if sent <= 0 { return }
                rest = rest.dropFirst(sent)
            }
        }
    }

    /// The reading thread sees the end and lets go.
    func close() {
        _ = shutdown(descriptor, Int32(SHUT_RDWR))
        inbox.withLock { $0.isClosed = true }
        room.open()
    }
}

/// Where a thread waits for something to become true.
private final class Gate: @unchecked Sendable {
    // @unchecked: the pointers never change, and what they point to is made for threads.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        mutex.initialize(to: pthread_mutex_t())
        changed.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    func wait(until isTrue: () -> Bool) {
        pthread_mutex_lock(mutex)
        while !isTrue() { pthread_cond_wait(changed, mutex) }
        pthread_mutex_unlock(mutex)
    }

    /// It may have become true.
    func open() {
        pthread_mutex_lock(mutex)
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
    }
}

#if canImport(Darwin)
    private func readAll(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        Unmanaged<LiveConnection>.fromOpaque(argument).takeRetainedValue().read()
        return nil
    }
#else
    private func readAll(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let argument else { return nil }
        Unmanaged<LiveConnection>.fromOpaque(argument).takeRetainedValue().read()
        return nil
    }
#endif

private func systemClose(_ descriptor: Int32) -> Int32 { close(descriptor) }

private func systemSend(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Darwin)
        send(descriptor, bytes, count, 0)
    #else
        send(descriptor, bytes, count, Int32(MSG_NOSIGNAL))
    #endif
}
