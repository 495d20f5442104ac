import GaleCore
import Glibc

/// A server on a unix socket that answers what a test wants: bytes for what came, as it came. On threads of its own.
final class FakeRedis: @unchecked Sendable {
    // @unchecked: what changes is guarded; the rest is set once.
    let path: String
    var url: String { "unix:" + path }
    private let listener: Int32
    private let answer: @Sendable (String) -> [UInt8]?
    /// The most bytes of one write.
    private let pieces: Int
    private let state = Guarded(State())

    private struct State {
        var connections: [Int32] = []
        var accepted = 0
        var isOver = false
    }

    /// `answer` gets what came; nil: the connection is ended. It is asked with "" when a connection begins.
    init(pieces: Int = .max, _ answer: @escaping @Sendable (String) -> [UInt8]?) throws {
        self.answer = answer
        self.pieces = pieces
        path = "/tmp/gale-fake-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = unixAddress(path)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0, listen(listener, 64) == 0 else { throw RedisServer.Trouble("cannot listen") }
        FakeRedis.thread { [self] in acceptAll() }
    }

    /// How many connections were made.
    var accepted: Int { state.withLock { $0.accepted } }

    /// Ends all connections.
    func cut() {
        for descriptor in state.withLock({ $0.connections }) { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    /// Ends all. Must be called.
    func stop() {
        let all = state.withLock { state in
            state.isOver = true
            return state.connections
        }
        shutdown(listener, Int32(SHUT_RDWR))
        for descriptor in all { shutdown(descriptor, Int32(SHUT_RDWR)) }
        unlink(path)
    }

    private func acceptAll() {
        while true {
            let descriptor = accept(listener, nil, nil)
            if descriptor < 0 { break }
            let isOver = state.withLock { state in
                state.accepted += 1
                state.connections.append(descriptor)
                return state.isOver
            }
            if isOver { shutdown(descriptor, Int32(SHUT_RDWR)) }
            FakeRedis.thread { [self] in serve(descriptor) }
        }
        close(listener)
    }

    private func serve(_ descriptor: Int32) {
        var came = ""
        var buffer = [UInt8](repeating: 0, count: 65536)
        while let bytes = answer(came), say(bytes, descriptor) {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count <= 0 { break }
            came = String(decoding: buffer[..<count], as: UTF8.self)
        }
        state.withLock { $0.connections.removeAll { $0 == descriptor } }
        close(descriptor)
    }

    private func say(_ bytes: [UInt8], _ descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            if rest.count < bytes.count && pieces < bytes.count { usleep(500) }
            let sent = rest.prefix(pieces).withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if sent <= 0 { return false }
            rest = rest.dropFirst(sent)
        }
        return true
    }

    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private static func thread(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Box(body))
        let result = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, box.toOpaque())
        if result == 0 { pthread_detach(thread) } else { box.release() }
    }
}
