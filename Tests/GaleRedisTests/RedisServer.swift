import Glibc
import Testing

/// A redis-server of one test: on a unix socket in a folder of its own, without the system's configuration.
///
/// A shell stands between that kills it when the test's end of a pipe closes, so that none outlives a test that crashes.
final class RedisServer: @unchecked Sendable {
    // @unchecked: it is started and killed by the test's own task alone.
    let folder: String
    var path: String { folder + "/redis.sock" }
    var url: String { "unix:" + path }
    private let arguments: [String]
    private var shell: pid_t = 0
    private var pipeEnd: Int32 = -1

    /// Persistent: what it has acknowledged survives SIGKILL. Otherwise it starts empty each time.
    init(persistent: Bool = false, _ more: String...) throws {
        var template = Array("/tmp/gale-redis-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Trouble("no folder") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        arguments =
            [
                "--port", "0", "--unixsocket", folder + "/redis.sock", "--dir", folder, "--save", "", "--daemonize",
                "no", "--logfile", folder + "/log", "--appendonly", persistent ? "yes" : "no", "--appendfsync",
                "always",
            ] + more
        try start()
    }

    deinit {
        kill()
        let folder = folder
        _ = try? RedisServer.run(["/bin/rm", "-rf", folder], stdin: -1, wait: true)
    }

    struct Trouble: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    func start() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Trouble("no pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let script = "redis-server \"$@\" & echo $! >\"$0/pid\"; read end; kill -9 $! 2>/dev/null; wait $! 2>/dev/null"
        shell = try RedisServer.run(["/bin/sh", "-c", script, folder] + arguments, stdin: ends[0], wait: false)
        close(ends[0])
        pipeEnd = ends[1]
        for _ in 0..<1000 {
            if let answer = try? tell("PING"), answer == "+PONG" { return }
            usleep(10_000)
        }
        throw Trouble("redis-server doesn't start; is it installed (.ci/packages redis-server)? See \(folder)/log")
    }

    /// SIGKILL.
    func kill() {
        if pipeEnd < 0 { return }
        close(pipeEnd)
        pipeEnd = -1
        var status: Int32 = 0
        while waitpid(shell, &status, 0) < 0 && errno == EINTR {}
    }

    /// Stops it without closing its connections, and lets it go on.
    func freeze(_ isFrozen: Bool) throws {
        guard let file = fopen(folder + "/pid", "r") else { throw Trouble("no pid") }
        defer { fclose(file) }
        var pid: Int32 = 0
        withUnsafeMutablePointer(to: &pid) { pid in
            _ = withVaList([pid]) { vfscanf(file, "%d", $0) }
        }
        guard pid > 1, Glibc.kill(pid, isFrozen ? SIGSTOP : SIGCONT) == 0 else { throw Trouble("no such process") }
    }

    /// Says lines on a connection of its own; the first line of the last answer.
    @discardableResult
    func tell(_ lines: String...) throws -> String {
        let connection = try RawConnection(path: path)
        return try lines.reduce("") { try connection.ask($1) }
    }

    /// Another way to it, which can be taken away.
    var detour: String { folder + "/detour.sock" }
    func setDetour(_ isThere: Bool) { _ = isThere ? symlink("redis.sock", detour) : unlink(detour) }

    private static func run(_ words: [String], stdin: Int32, wait: Bool) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if stdin >= 0 { posix_spawn_file_actions_adddup2(&actions, stdin, 0) }
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        // Threads of Swift's pools block signals, which a shell that waits for a child needs.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var pid: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        guard posix_spawn(&pid, words[0], &actions, &attributes, &arguments, environ) == 0 else {
            throw Trouble("cannot run \(words[0])")
        }
        var status: Int32 = 0
        if wait { while waitpid(pid, &status, 0) < 0 && errno == EINTR {} }
        return pid
    }
}

/// A blocking connection to a unix socket.
final class RawConnection {
    private let descriptor: Int32

    init(path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var timeout = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var address = unixAddress(path)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if result != 0 { throw RedisServer.Trouble("cannot connect to \(path)") }
    }

    deinit { close(descriptor) }

    func ask(_ line: String) throws -> String {
        let bytes = Array((line + "\r\n").utf8)
        guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw RedisServer.Trouble("cannot send")
        }
        var answer: [UInt8] = []
        var byte: UInt8 = 0
        while recv(descriptor, &byte, 1, 0) == 1 {
            if byte == 13 { return String(decoding: answer, as: UTF8.self) }
            answer.append(byte)
        }
        throw RedisServer.Trouble("no answer to \(line)")
    }
}

func unixAddress(_ path: String) -> sockaddr_un {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
    return address
}

/// A port of 127.0.0.1 that nobody listens on.
func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
        }
    }
    if !result { throw RedisServer.Trouble("no port") }
    return Int(UInt16(bigEndian: address.sin_port))
}
