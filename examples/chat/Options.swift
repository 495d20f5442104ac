import Foundation

let options = Options.parse(CommandLine.arguments.dropFirst())

/// The command line.
struct Options {
    var port = 8888
    var host = "127.0.0.1"
    /// Threads; nil: as many as the machine has cores.
    var workers: Int?
    var relay: any Relay = LocalRelay()

    private static let usage = "usage: chat [--port 8888] [--host 127.0.0.1] [--workers N] [--redis URL]"

    /// Reads the flags, as `--name value` or `--name=value`; ends the process with one line and status 2 on a bad one.
    static func parse(_ arguments: some Sequence<String>) -> Options {
        var options = Options()
        var words = arguments.flatMap { word in
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return word.hasPrefix("--") ? parts.map(String.init) : [word]
        }[...]
        while let flag = words.popFirst() {
            if flag == "--help" {
                print(usage)
                exit(0)
            }
            guard ["--port", "--host", "--workers", "--redis"].contains(flag) else {
                fail("unknown option \(flag); \(usage)")
            }
            guard let value = words.popFirst() else { fail("\(flag) needs a value") }
            options.set(flag, value)
        }
        return options
    }

    private mutating func set(_ flag: String, _ value: String) {
        switch flag {
        case "--port":
            guard let port = Int(value), (0...65535).contains(port) else { Options.fail("not a port: \(value)") }
            self.port = port
        case "--workers":
            guard let workers = Int(value), (1...256).contains(workers) else {
                Options.fail("not a number of workers, 1 to 256: \(value)")
            }
            self.workers = workers
        case "--redis":
            do { relay = try RedisRelay(value) } catch { Options.fail("\(error)") }
        default:
            host = value
        }
    }

    private static func fail(_ reason: String) -> Never {
        FileHandle.standardError.write(Data("chat: \(reason)\n".utf8))
        exit(2)
    }
}
