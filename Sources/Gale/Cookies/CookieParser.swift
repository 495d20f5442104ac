internal import GaleCore

/// The Cookie field as browsers mean it (HU-30): split at every ';', the last of a name wins, one pass.
enum CookieParser {
    static func parse(_ text: String) -> [(name: String, value: String)] {
        var cookies: [(name: String, value: String)] = []
        PairReader.cookies(text.utf8.span) { cookies.append((String(repairing: $0), String(repairing: $1))) }
        return cookies
    }
}

extension Call {
    /// A cookie of the request; parsed once.
    func cookie(_ name: String) -> String? {
        if let known = extrasIfAny?.cookies { return known.last { $0.name == name }?.value }
        guard let field = header("Cookie") else { return nil }
        let cookies = CookieParser.parse(field)
        extras.cookies = cookies
        return cookies.last { $0.name == name }?.value
    }
}
