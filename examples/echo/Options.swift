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
    var root: String?
    /// Beside host and port: --unix and --listen.
    var others: [String] = []
    var server = ServerConfiguration()

    private static let usage = """
        usage: echo [--port PORT] [--host HOST] [--workers N] [--root FOLDER] [--unix PATH]
                    [--listen URL] [--trust NETWORKS] [--forwarded x|rfc7239|x-real-ip] [--compress]
                    [--deflate 0|1|2]
        """

    /// Where to listen. With --unix or --listen alone, there alone.
    var urls: [String] {
        guard port != nil || others.isEmpty else { return others }
        let name = host.contains(":") ? "[\(host)]" : host
        return ["http://\(name):\(port ?? 8080)"] + others
    }

    /// Ends the process with one line and status 2 when a flag is wrong.
    static func parse(_ arguments: ArraySlice<String>) -> Options {
        var options = Options()
        options.server.webSockets.maxMessageBytes = 16 << 20
        options.server.webSockets.compression = .eachMessage
        var rest = arguments
        while let flag = rest.popFirst() { options.take(flag, &rest) }
        return options
    }

    private mutating func take(_ flag: String, _ rest: inout ArraySlice<String>) {
        func value() -> String {
            guard let value = rest.popFirst() else { Options.stop("no value for \(flag); --help lists the flags") }
            return value
        }
        switch flag {
        case "--help":
            print(Options.usage)
            exit(0)
        case "--port": port = Options.number(flag, value(), in: 0...65535)
        case "--host": host = value()
        case "--root": root = value()
        case "--unix": others.append("unix:\(value())")
        case "--listen": others.append(value())
        case "--workers": server.workers = Options.number(flag, value(), in: 1...1024)
        case "--trust": server.trustedProxies = [value()]
        case "--forwarded": server.forwarded = Options.family(value())
        case "--compress":
            server.compression = CompressionSettings()
            server.decompression = DecompressionSettings()
        case "--deflate":
            let compressions: [WebSocketSettings.Compression] = [.none, .eachMessage, .window]
            server.webSockets.compression = compressions[Options.number(flag, value(), in: 0...2)]
        default: Options.stop("unknown argument \(flag); --help lists the flags")
        }
    }

    private static func family(_ name: String) -> ServerConfiguration.ForwardedFields {
        switch name {
        case "x": return .xForwarded
        case "rfc7239": return .standard
        case "x-real-ip": return .xRealIP
        default: stop("unknown family \(name); --help lists the flags")
        }
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
