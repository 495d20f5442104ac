internal import GaleCore

extension RequestHandler {
    /// A cookie of the request (WEB-14).
    public final func cookie(_ name: String) -> String? { call?.cookie(name) }

    /// Sets a cookie; it takes the place of one of this name set before in this response (WEB-16). Throws
    /// `ResponseError` when the head is sent, or when a part holds what may not stand in a cookie.
    public final func setCookie(
        _ name: String, _ value: String, _ options: CookieOptions = CookieOptions()
    ) throws(ResponseError) {
        guard let call else { throw .clientGone }
        try call.mayChangeHead()
        guard let line = options.line(name: name, value: value, now: LocalTime.unix) else {
            throw .invalidHeader("cookie \(name)")
        }
        call.extras.newCookies.removeAll { $0.name == name }
        call.extras.newCookies.append((name, line))
    }

    /// Has the browser forget a cookie; path and domain must be those it was set with (WEB-18).
    public final func clearCookie(_ name: String, path: String = "/", domain: String? = nil) throws(ResponseError) {
        try setCookie(name, "", CookieOptions(expiresDays: -365, path: path, domain: domain))
    }

    /// Sets a cookie that nobody can make or change without the secret (SIG-08). Everybody can read it. Throws
    /// `ResponseError`, and 500 without a `Settings.cookieSecret`.
    public final func setSignedCookie(
        _ name: String, _ value: String, expiresDays: Double? = 30, _ options: CookieOptions = .signed
    ) throws {
        var options = options
        options.expiresDays = options.expiresDays ?? expiresDays
        let signed = SignedValue.create(value, name: name, secret: try cookieSecret(), time: LocalTime.unix)
        guard let signed else { throw HTTPError(500, "cookieSecret has no key to sign with") }
        try setCookie(name, signed, options)
    }

    /// The value of a signed cookie; nil unless it is whole, ours and at most `maxAgeDays` old (SIG-05).
    public final func signedCookie(_ name: String, maxAgeDays: Double = 31) -> String? {
        guard let secret = settings.cookieSecret, let text = cookie(name) else { return nil }
        return SignedValue.decode(text, name: name, secret: secret, maxAgeDays: maxAgeDays, time: LocalTime.unix)
    }

    /// The version of the key that a signed cookie was signed with (SIG-07).
    public final func signedCookieKeyVersion(_ name: String) -> Int? {
        cookie(name).flatMap { SignedValue.keyVersion($0) }
    }

    private func cookieSecret() throws -> CookieSecret {
        guard let secret = settings.cookieSecret else {
            throw HTTPError(500, "You must define the 'cookieSecret' setting to use signed cookies")
        }
        return secret
    }
}
