internal import Gale

/// What a URL says: where Redis is, who asks, and which of its databases is meant.
struct RedisAddress: Sendable, Equatable {
    enum Place: Sendable, Equatable {
        case host(String, port: Int)
        case path(String)
    }
    var place: Place
    var user: String?
    var password: String?
    var database = 0

    /// redis://[USER:PASSWORD@]HOST[:PORT][/DB] or unix:PATH[?db=N]. Throws `.url`.
    init(_ url: String) throws(RedisError) {
        if url.hasPrefix("unix:") {
            try self.init(path: url.dropFirst(5), of: url)
        } else if url.hasPrefix("redis://") {
            try self.init(authority: url.dropFirst(8), of: url)
        } else if url.hasPrefix("rediss://") {
            throw .url("cannot use \(RedisAddress.quoted(url)): TLS to Redis is not there; use redis:// or a tunnel")
        } else {
            throw .url(
                "cannot use \(RedisAddress.quoted(url)): a Redis is redis://[USER:PASSWORD@]HOST[:PORT][/DB] "
                    + "or unix:PATH[?db=N]")
        }
    }

    private init(path rest: Substring, of url: String) throws(RedisError) {
        let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = parts.first ?? ""
        // The system's own bound is that of sockaddr_un.
        guard !path.isEmpty, path.utf8.count < 108, !path.utf8.contains(0) else {
            throw .url("cannot use \(RedisAddress.quoted(url)): the path of a socket has 1 to 107 bytes")
        }
        place = .path(String(path))
        guard parts.count == 2 else { return }
        guard parts[1].hasPrefix("db="), let number = RedisAddress.number(parts[1].dropFirst(3), upTo: 65535) else {
            throw .url("cannot use \(RedisAddress.quoted(url)): after the path only ?db=NUMBER may stand")
        }
        database = number
    }

    private init(authority rest: Substring, of url: String) throws(RedisError) {
        func mistake(_ text: String) -> RedisError { .url("cannot use \(RedisAddress.quoted(url)): \(text)") }
        if rest.contains(where: { $0 == "?" || $0 == "#" }) { throw mistake("no ? or # may stand in it") }
        let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        var authority = parts.first ?? ""
        if let at = authority.lastIndex(of: "@") {
            let login = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            authority = authority[authority.index(after: at)...]
            guard login.count == 2 else {
                throw mistake("before the @ stands USER:PASSWORD, with the user empty for the default one")
            }
            let who = Escape.urlUnescape(String(login[0]), plus: false)
            user = who.isEmpty ? nil : who
            password = Escape.urlUnescape(String(login[1]), plus: false)
        }
        var host: Substring?
        var port = 6379
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { throw mistake("the ] of the address is missing") }
            host = authority[authority.index(after: authority.startIndex)..<end]
            authority = authority[authority.index(after: end)...]
            guard authority.isEmpty || authority.hasPrefix(":") else { throw mistake("after the ] stands :PORT") }
        }
        if let colon = authority.firstIndex(of: ":") {
            guard let number = RedisAddress.number(authority[authority.index(after: colon)...], upTo: 65535),
                number > 0
            else { throw mistake("the port is a number from 1 to 65535") }
            port = number
            authority = authority[..<colon]
        }
        let name = host ?? authority
        guard !name.isEmpty, name.utf8.count <= 253, !name.utf8.contains(where: { $0 <= 32 }) else {
            throw mistake("the host is missing")
        }
        place = .host(String(name), port: port)
        guard parts.count == 2, !parts[1].isEmpty else { return }
        guard let number = RedisAddress.number(parts[1], upTo: 65535) else {
            throw mistake("after the / stands the number of a database")
        }
        database = number
    }

    /// Digits alone: no sign, no space.
    private static func number(_ text: Substring, upTo limit: Int) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 5, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        guard let value = Int(text), value <= limit else { return nil }
        return value
    }

    /// For sentences: short, and without what could be a password, also where the URL is none: all before the last @,
    /// what stands for a port, the values of a query.
    static func quoted(_ url: String) -> String {
        let bytes = Array(url.utf8)
        let schemes = ["redis://", "rediss://", "redis:", "rediss:", "unix:"]
        let scheme = schemes.first { bytes.starts(with: $0.utf8) } ?? ""
        var rest = bytes.dropFirst(scheme.utf8.count)
        var text = scheme
        if let at = rest.lastIndex(of: UInt8(ascii: "@")) {
            text += "..."
            rest = rest[at...]
        }
        let end = rest.firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") } ?? rest.endIndex
        text += String(decoding: withoutWords(rest[..<end], isPath: scheme == "unix:").prefix(200), as: UTF8.self)
        if end < rest.endIndex { text += String(decoding: [rest[end]], as: UTF8.self) + "..." }
        return "\"\(text)\""
    }

    /// With "..." for what follows a colon and is no number: of USER:PASSWORD the host may be missing.
    private static func withoutWords(_ text: ArraySlice<UInt8>, isPath: Bool) -> [UInt8] {
        // An address in brackets has colons of its own.
        let start = text.lastIndex(of: UInt8(ascii: "]")) ?? text.startIndex
        let word = text[start...].indices.first { index in
            text[index] == UInt8(ascii: ":")
                && !text[(index + 1)...].prefix { $0 != UInt8(ascii: "/") }.allSatisfy { (48...57).contains($0) }
        }
        guard !isPath, let word else { return Array(text) }
        return text[...word] + Array("...".utf8)
    }

    /// For log lines.
    var description: String {
        switch place {
        case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .path(let path): "unix:\(path)"
        }
    }
}
