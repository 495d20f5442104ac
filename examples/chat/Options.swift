import Foundation

/// The command line: `--port N`, `--host ADDRESS`.
struct Options {
    var port = 8888
    var host = "127.0.0.1"

    /// Reads the flags, as `--name value` or `--name=value`; ends the process with one line and status 2 on a bad one.
    static func parse(_ arguments: some Sequence<String>) -> Options {
        var options = Options()
        var words = arguments.flatMap { word in
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return word.hasPrefix("--") ? parts.map(String.init) : [word]
        }[...]
        while let flag = words.popFirst() {
            switch (flag, words.first) {
            case ("--help", _):
                print("usage: chat [--port 8888] [--host 127.0.0.1]")
                exit(0)
            case ("--port", let value?):
                guard let port = Int(value), (0...65535).contains(port) else { fail("not a port: \(value)") }
                options.port = port
            case ("--host", let value?):
                options.host = value
            case ("--port", nil), ("--host", nil):
                fail("\(flag) needs a value")
            default:
                fail("unknown option \(flag); usage: chat [--port 8888] [--host 127.0.0.1]")
            }
            words = words.dropFirst()
        }
        return options
    }

    private static func fail(_ reason: String) -> Never {
        FileHandle.standardError.write(Data("chat: \(reason)\n".utf8))
        exit(2)
    }
}
