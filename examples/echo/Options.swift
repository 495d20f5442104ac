import Gale

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The command line.
struct Options {
    var port: Int?
    var host = "127.0.0.1"
    var workers: Int?
    var root: String?
    var unix: String?

    private static let usage = "usage: echo [--port PORT] [--host HOST] [--workers N] [--root FOLDER] [--unix PATH]"

    /// Where to listen. With --unix alone there is no TCP.
    var urls: [String] {
        var urls: [String] = []
        if port != nil || unix == nil {
            let name = host.contains(":") ? "[\(host)]" : host
            urls.append("http://\(name):\(port ?? 8080)")
        }
        if let unix { urls.append("unix:\(unix)") }
        return urls
    }

    /// Ends the process with one line and status 2 when a flag is wrong.
    static func parse(_ arguments: ArraySlice<String>) -> Options {
        var options = Options()
        var rest = arguments
        while let flag = rest.popFirst() {
            if flag == "--help" {
                print(usage)
                exit(0)
            }
            guard ["--port", "--host", "--workers", "--root", "--unix"].contains(flag) else {
                stop("unknown argument \(flag); --help lists the flags")
            }
            guard let value = rest.popFirst() else { stop("no value for \(flag); --help lists the flags") }
            switch flag {
            case "--port": options.port = number(flag, value, in: 0...65535)
            case "--workers": options.workers = number(flag, value, in: 1...1024)
            case "--host": options.host = value
            case "--root": options.root = value
            default: options.unix = value
            }
        }
        return options
    }

    private static func number(_ flag: String, _ text: String, in range: ClosedRange<Int>) -> Int {
        guard let number = Int(pathText: text), range.contains(number) else {
            stop("\(flag) wants a number from \(range.lowerBound) to \(range.upperBound), not '\(text)'")
        }
        return number
    }

    private static func stop(_ line: String) -> Never {
        var text = "echo: \(line)\n"
        _ = text.withUTF8 { write(2, $0.baseAddress, $0.count) }
        exit(2)
    }
}
