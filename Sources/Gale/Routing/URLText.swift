/// URLs as text: what handlers put together and take apart.
public enum URLText {
    /// The URL with these fields at the end of its query, percent-encoded, before its fragment (HU-09). Fields that are
    /// there stay, those without value as `name=`.
    public static func adding(_ fields: [(String, String)], to url: String) -> String {
        if fields.isEmpty { return url }
        // By bytes: a character may be more than its delimiter.
        let bytes = url.utf8
        let end = bytes.firstIndex(of: UInt8(ascii: "#")) ?? url.endIndex
        let mark = bytes[..<end].firstIndex(of: UInt8(ascii: "?"))
        var pairs: [String] = []
        if let mark {
            for pair in bytes[bytes.index(after: mark)..<end].split(separator: UInt8(ascii: "&")) {
                pairs.append(pair.contains(UInt8(ascii: "=")) ? "\(Substring(pair))" : "\(Substring(pair))=")
            }
        }
        pairs += fields.map { "\(encode($0.0))=\(encode($0.1))" }
        return "\(url[..<(mark ?? end)])?\(pairs.joined(separator: "&"))\(url[end...])"
    }

    /// "example.com:80" taken apart; IPv6 addresses stand in brackets and lose them (HU-25). The port is nil when there
    /// is none; all of it is nil when what should be a port is none.
    public static func hostAndPort(_ text: String) -> (host: String, port: Int?)? {
        var rest = text[...]
        let host: Substring
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            host = rest[rest.index(after: rest.startIndex)..<end]
            rest = rest[rest.index(after: end)...]
        } else {
            host = rest.prefix { $0 != ":" }
            rest = rest[host.endIndex...]
        }
        if rest.isEmpty { return (String(host), nil) }
        let digits = rest.dropFirst()
        guard rest.first == ":", let port = Int(pathText: String(digits)), (0...65535).contains(port) else {
            return nil
        }
        return (String(host), port)
    }

    private static func encode(_ text: String) -> String {
        PercentCoding.encode(text, slash: false).replacing("%20", with: "+")
    }
}
