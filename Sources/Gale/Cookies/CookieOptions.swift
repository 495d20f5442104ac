/// The attributes of a cookie, typed, so that none can smuggle in another (WEB-15).
public struct CookieOptions: Sendable {
    /// When browsers send a cookie along with requests from other sites.
    public enum SameSite: String, Sendable {
        /// With links, not with embedded requests and posts.
        case lax = "Lax"
        /// Never.
        case strict = "Strict"
        /// Always; `secure` goes with it.
        case none = "None"
    }

    /// Days until it expires; nil: when the browser closes. 0 or less: at once.
    public var expiresDays: Double?
    /// Seconds until it expires, before `expiresDays` in browsers that know it.
    public var maxAge: Int?
    /// Paths it is sent for.
    public var path: String
    /// Hosts it is sent to, besides subdomains; nil: this host alone.
    public var domain: String?
    /// Over TLS alone.
    public var secure: Bool
    /// Not for scripts.
    public var httpOnly: Bool
    /// When it comes with requests from other sites; nil: as the browser decides.
    public var sameSite: SameSite?

    /// A cookie for the session of the browser.
    public init(
        expiresDays: Double? = nil, maxAge: Int? = nil, path: String = "/", domain: String? = nil, secure: Bool = false,
        httpOnly: Bool = false, sameSite: SameSite? = nil
    ) {
        self.expiresDays = expiresDays
        self.maxAge = maxAge
        self.path = path
        self.domain = domain
        self.secure = secure
        self.httpOnly = httpOnly
        self.sameSite = sameSite
    }

    /// Not for scripts, and not with requests from other sites: the default of signed cookies (WEB-19).
    public static let signed = CookieOptions(httpOnly: true, sameSite: .lax)

    /// The value of Set-Cookie; nil when a part holds what may not stand there (WEB-17).
    func line(name: String, value: String, now: Int) -> String? {
        let hasBadName = name.isEmpty || !name.utf8.allSatisfy(CookieOptions.isNameByte)
        let parts = [path, domain ?? ""]
        if hasBadName || !parts.allSatisfy({ $0.utf8.allSatisfy(CookieOptions.isAttributeByte) }) { return nil }
        if value.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f }) { return nil }
        if name.hasPrefix("__Host-") && (!secure || domain != nil || path != "/") { return nil }
        if name.hasPrefix("__Secure-") && !secure { return nil }
        var line = "\(name)=\(CookieOptions.quoted(value))"
        if let domain { line += "; Domain=\(domain)" }
        if let expiresDays {
            let time = Double(now) + expiresDays * 86400
            line += "; expires=\(HTTPDate.format(Int(max(0, min(time, 253_402_300_799)))))"
        }
        if httpOnly { line += "; HttpOnly" }
        if let maxAge { line += "; Max-Age=\(maxAge)" }
        line += "; Path=\(path)"
        if let sameSite { line += "; SameSite=\(sameSite.rawValue)" }
        if secure || sameSite == SameSite.none { line += "; Secure" }
        return line
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7f && !"()<>@,;:\\\"/[]?={}".utf8.contains(byte)
    }

    private static func isAttributeByte(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: ";")
    }

    /// As it is, or with quotes and octal escapes where it must be.
    private static func quoted(_ value: String) -> String {
        func isPlain(_ byte: UInt8) -> Bool { byte < 0x7f && !"\",;\\".utf8.contains(byte) }
        if value.utf8.allSatisfy(isPlain) { return value }
        var out: [UInt8] = [UInt8(ascii: "\"")]
        for byte in value.utf8 {
            if isPlain(byte) {
                out.append(byte)
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                out += [UInt8(ascii: "\\"), byte]
            } else {
                let zero = UInt8(ascii: "0")
                out += [UInt8(ascii: "\\"), zero + (byte >> 6), zero + (byte >> 3 & 7), zero + (byte & 7)]
            }
        }
        out.append(UInt8(ascii: "\""))
        return String(decoding: out, as: UTF8.self)
    }
}

/// Dates of HTTP (HU-24): "Sun, 27 Jan 2013 18:43:20 GMT".
enum HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Seconds since 1970, not negative.
    static func format(_ time: Int) -> String {
        let (day, second) = (time / 86400, time % 86400)
        // Days to a date, by eras of 400 years that begin on 1 March.
        let shifted = day + 719_468
        let ofEra = shifted % 146_097
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let part = (5 * ofYear + 2) / 153
        let month = part < 10 ? part + 2 : part - 10
        let year = yearOfEra + shifted / 146_097 * 400 + (month <= 1 ? 1 : 0)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let clock = "\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))"
        return "\(days[day % 7]), \(two(ofYear - (153 * part + 2) / 5 + 1)) \(months[month]) \(year) \(clock) GMT"
    }
}
