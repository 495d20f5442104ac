internal import GaleCore

/// The secret that a page's forms carry, so that no other site can post in the user's name (XSR-01 to XSR-08).
struct XSRFToken {
    /// 16 random bytes: the same for all pages of a browser.
    let raw: [UInt8]
    let time: Int

    /// A new one.
    init(time: Int) {
        raw = Random.bytes(16)
        self.time = time
    }

    /// One that a browser sent: `2|mask|masked token|time`, or 32 hexadecimal digits (version 1). Nil for others.
    init?(_ text: String) {
        let fields = text.split(separator: "|", omittingEmptySubsequences: false)
        if fields.count == 1 {
            guard let bytes = Hex.decode(text), !bytes.isEmpty else { return nil }
            raw = bytes
            time = 0
            return
        }
        guard fields.count == 4, fields[0] == "2", let mask = Hex.decode(fields[1]), mask.count == 4,
            let masked = Hex.decode(fields[2]), !masked.isEmpty, let time = Int(pathText: String(fields[3]))
        else { return nil }
        raw = XSRFToken.apply(mask, to: masked)
        self.time = time
    }

    /// As the page and the cookie show it: another text each time, so that compression tells nothing (XSR-03).
    var masked: String {
        let mask = Random.bytes(4)
        return "2|\(Hex.encode(mask))|\(Hex.encode(XSRFToken.apply(mask, to: raw)))|\(time)"
    }

    private static func apply(_ mask: [UInt8], to bytes: [UInt8]) -> [UInt8] {
        bytes.enumerated().map { $1 ^ mask[$0 & 3] }
    }
}

extension RequestHandler {
    /// The token for forms and scripts of this page; asking for it sets the cookie (XSR-05).
    /// Throws `ResponseError` when the head is sent and there was no cookie yet.
    public final func xsrfToken() throws -> String {
        guard let call else { throw ResponseError.clientGone }
        if let token = call.extrasIfAny?.xsrfToken { return token.masked }
        let name = settings.xsrfCookieName
        let token: XSRFToken
        if let known = cookie(name).flatMap({ XSRFToken($0) }) {
            token = known
        } else {
            token = XSRFToken(time: LocalTime.unix)
            try setCookie(name, token.masked, CookieOptions(sameSite: .lax))
        }
        call.extras.xsrfToken = token
        return token.masked
    }

    /// A hidden form field with the token (XSR-06).
    public final func xsrfFormHTML() throws -> String {
        // A token is digits, letters of a to f and '|': nothing in it needs escaping.
        "<input type=\"hidden\" name=\"_xsrf\" value=\"\(try xsrfToken())\"/>"
    }

    /// Throws 403 unless the request carries the token of its cookie: in the field `_xsrf`, in `X-Xsrftoken` or in
    /// `X-Csrftoken`. GET, HEAD and OPTIONS need none.
    public final func checkXSRF() throws {
        guard let call, ![.get, .head, .options].contains(call.method) else { return }
        let field = try form("_xsrf") ?? query("_xsrf")
        let sent = field ?? request.header("X-Xsrftoken") ?? request.header("X-Csrftoken")
        guard let sent, !sent.isEmpty else {
            throw HTTPError(403, "'_xsrf' argument missing from \(request.method)")
        }
        guard let token = XSRFToken(sent) else { throw HTTPError(403, "'_xsrf' argument has invalid format") }
        let known = cookie(settings.xsrfCookieName).flatMap { XSRFToken($0) }
        guard let known, equalInConstantTime(token.raw, known.raw) else {
            throw HTTPError(403, "XSRF cookie does not match \(request.method) argument")
        }
    }
}
