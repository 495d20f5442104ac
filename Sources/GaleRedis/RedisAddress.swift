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

    /// For sentences: without the password, and short.
    static func quoted(_ url: String) -> String {
        guard let at = url.lastIndex(of: "@"), let start = url.firstRange(of: "://") else {
            return "\"\(url.prefix(200))\""
        }
        return start.upperBound <= at ? "\"\(url[..<start.upperBound])...\(url[at...].prefix(200))\"" : "\"...\""
    }

    /// For log lines.
    var description: String {
        switch place {
        case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .path(let path): "unix:\(path)"
        }
    }
}
