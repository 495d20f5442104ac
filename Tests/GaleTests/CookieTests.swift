import GaleTesting
import Testing

@testable import Gale

private final class Jar: RequestHandler {
    override func get() async throws {
        switch try query("do") {
        case "replace":
            try setCookie("a", "1", CookieOptions(expiresDays: 3, path: "/x"))
            try setCookie("b", "x")
            try setCookie("a", "2")
        case "clear": try clearCookie("a", path: "/p", domain: "e.com")
        case "late":
            try write("x")
            try await flush()
            do { try setCookie("a", "b") } catch { try write("\(error)") }
        case "keep":
            try setCookie("a", "b")
            throw HTTPError(404)
        default: try setSignedCookie("s", "v", expiresDays: nil)
        }
    }
}

private final class Guarded: RequestHandler {
    override func prepare() async throws { try setHeader("X-Prepared", "1") }
    override func get() async throws { if try query("token") != nil { try write(try xsrfToken()) } }
    override func post() async throws { try write("ok") }
    override func put() async throws { try write("ok") }
    override func patch() async throws { try write("ok") }
    override func delete() async throws { try write("ok") }
    override func options() async throws { try write("ok") }
}

@Suite struct CookieTests {
    private static let app = Application(settings: settings) { Route("/", Jar.self) }
    private static var settings: Settings {
        var settings = Settings.quiet
        settings.cookieSecret = .random()
        return settings
    }

    @Test("WEB-15, Advisory A25, A34: no part of a cookie can smuggle in another", arguments: 0...0x7f)
    func injection(_ byte: UInt8) {
        let text = "a" + String(Unicode.Scalar(byte)) + "b"
        let isControl = byte <= 0x20 || byte == 0x7f
        func line(
            _ name: String = "n", _ value: String = "v", _ options: CookieOptions = CookieOptions()
        ) -> String? { options.line(name: name, value: value, now: 0) }
        #expect((line("n", text) == nil) == isControl)
        #expect((line("n", "v", CookieOptions(path: text)) == nil) == (isControl || byte == UInt8(ascii: ";")))
        #expect((line("n", "v", CookieOptions(domain: text)) == nil) == (isControl || byte == UInt8(ascii: ";")))
        if isControl || ";=,".utf8.contains(byte) { #expect(line(text) == nil) }
    }

    @Test("Advisory A38: no number of a cookie smuggles in anything, and none stops the server") func numbers() {
        for age in [Int.min, -1, 0, Int.max] {
            #expect(CookieOptions(maxAge: age).line(name: "a", value: "", now: 0) == "a=; Max-Age=\(age); Path=/")
        }
        for days in [Double.nan, -.nan, .infinity, -.infinity, .greatestFiniteMagnitude, -1e300] {
            let line = CookieOptions(expiresDays: days).line(name: "a", value: "", now: 1_300_000_000) ?? ""
            #expect(line.hasPrefix("a=; expires=") && line.hasSuffix(" GMT; Path=/"), "\(days): \(line)")
            #expect(line.split(separator: ";").count == 3)
        }
    }

    @Test("WEB-16: a later one takes the place of an earlier one, attributes and all") func replace() async throws {
        try await Self.app.test { client in
            let lines = try await client.get("/?do=replace").headers.all("Set-Cookie")
            #expect(lines == ["b=x; Path=/", "a=2; Path=/"])
            #expect(CookieOptions(maxAge: 0).line(name: "a", value: "b", now: 0) == "a=b; Max-Age=0; Path=/")
        }
    }

    @Test("WEB-17: quoting") func quoting() {
        func line(_ value: String) -> String? { CookieOptions().line(name: "s", value: value, now: 0) }
        // Tornado writes Latin-1 here, Gale UTF-8.
        #expect(line("x;y\"z,\u{e9}") == #"s="x\073y\"z\054\303\251"; Path=/"#)
        #expect(line("a\\b") == #"s="a\\b"; Path=/"#)
        #expect(line("") == "s=; Path=/")
        #expect(line("2|1:0|a=b!") == "s=2|1:0|a=b!; Path=/")
        let parsed = CookieParser.parse(#"s="x\073y\"z\054\303\251""#)
        #expect(parsed.first?.value == "x;y\"z,\u{e9}")
    }

    @Test("WEB-18: clearCookie, and cookies of errors and late ones") func clear() async throws {
        try await Self.app.test { client in
            let line = try await client.get("/?do=clear").headers["Set-Cookie"] ?? ""
            #expect(line.hasPrefix("a=; Domain=e.com; expires="))
            #expect(line.hasSuffix(" GMT; Path=/p"))
            let year = line.split(separator: " ").compactMap { Int($0) }.last ?? 9999
            #expect(year > 2020 && year < 2100)
            #expect(try await client.get("/?do=late").text == "xheadSent")
            let error = try await client.get("/?do=keep")
            #expect(error.status == 404)
            #expect(error.headers["Set-Cookie"] == "a=b; Path=/")
            let session = try await client.get("/").headers["Set-Cookie"] ?? ""
            #expect(session.hasSuffix("; HttpOnly; Path=/; SameSite=Lax"))
            #expect(!session.contains("expires"))
        }
    }

    // MARK: Signed values

    private static let good =
        "2|1:0|10:1300000000|3:key|8:dmFsdWU=|3d4e60b996ff9c5d5788e333a0cba6f238a22c6c0f94788870e1a9ecd482e152"

    struct Signed: Sendable, CustomTestStringConvertible {
        let what: String
        var text = CookieTests.good
        var name = "key"
        var seconds = 0
        var value: String?
        var testDescription: String { what }
    }

    @Test(
        "SIG-02 to SIG-06: the facts of Tornado",
        arguments: [
            Signed(what: "v2 ok", value: "value"),
            Signed(
                what: "v1 is never read (SIG-03)", text: "dmFsdWU=|1300000000|31c934969f53e48164c50768b40cbd7e2daaaa4f"),
            Signed(what: "key version changed", text: good.replacing("2|1:0", with: "2|1:1")),
            Signed(what: "field too short", text: good.replacing("10:1300000000", with: "10:130000000")),
            Signed(what: "field too long", text: good.replacing("3:key", with: "3:keey")),
            Signed(what: "sig zeros", text: "2|1:0|10:1300000000|3:key|8:dmFsdWU=|00000000000000000000000000000000"),
            Signed(what: "sig first char", text: good.replacing("|3d4e", with: "|4d4e")),
            Signed(what: "sig truncated", text: String(good.dropLast())),
            Signed(what: "sig lengthened", text: good + "8"),
            Signed(what: "empty", text: ""),
            Signed(what: "plain", text: "value"),
            Signed(what: "version 3 (SIG-04)", text: "3" + good.dropFirst()),
            Signed(what: "wrong name", name: "other"),
            Signed(what: "31 days - 1s", seconds: 31 * 86400 - 1, value: "value"),
            Signed(what: "31 days", seconds: 31 * 86400, value: "value"),
            Signed(what: "31 days + 1s", seconds: 31 * 86400 + 1),
            Signed(what: "issued a day in future", seconds: -86400, value: "value"),
            Signed(what: "issued 32 days in future: other than Tornado (SIG-06)", seconds: -32 * 86400),
        ])
    func facts(_ row: Signed) {
        let secret = CookieSecret("It's a secret to everybody")
        let time = 1_300_000_000 + row.seconds
        #expect(SignedValue.decode(row.text, name: row.name, secret: secret, maxAgeDays: 31, time: time) == row.value)
    }

    /// "2|1:0|10:1300000000|3:key|8:dmFsdWU=|" and the signature of that.
    private static func put(_ fields: [String], lengths: [Int]) -> String {
        let text = zip(lengths, fields).map { "\($0):\($1)|" }.joined()
        return "2|" + text + good.suffix(64)
    }

    @Test("SIG-06, Advisory A1: no byte moves from one field to the next") func moved() {
        let fields = ["0", "1300000000", "key", "dmFsdWU="]
        let secret = CookieSecret("It's a secret to everybody")
        let lengths = fields.map(\.utf8.count)
        #expect(Self.put(fields, lengths: lengths) == Self.good)
        var wrong: [String] = []
        for index in 0..<3 {
            let both = fields[index] + fields[index + 1]
            for cut in 0...both.utf8.count where cut != lengths[index] {
                var other = fields
                other[index] = String(both.prefix(cut))
                other[index + 1] = String(both.dropFirst(cut))
                for text in [Self.put(other, lengths: other.map(\.utf8.count)), Self.put(other, lengths: lengths)] {
                    // At the end of time, and of any age: the signature alone is left to refuse it.
                    for name in ["key", other[2]] {
                        let value = SignedValue.decode(
                            text, name: name, secret: secret, maxAgeDays: 1e18, time: 1 << 60)
                        if value != nil { wrong.append(text) }
                    }
                }
            }
        }
        #expect(wrong.isEmpty)
        #expect(
            SignedValue.decode(Self.good, name: "key", secret: secret, maxAgeDays: 1e18, time: 1 << 60) == "value")
    }

    @Test("SIG-01, Advisory A7: a value of one name is none of another that begins or ends alike") func names() {
        let secret = CookieSecret.random()
        let text = "abcdef"
        let made = (0...6).map { cut in
            SignedValue.create(String(text.dropFirst(cut)), name: String(text.prefix(cut)), secret: secret, time: 5)
                ?? ""
        }
        for (cut, value) in made.enumerated() {
            for other in 0...6 {
                let name = String(text.prefix(other))
                let read = SignedValue.decode(value, name: name, secret: secret, maxAgeDays: 31, time: 5)
                #expect(read == (other == cut ? String(text.dropFirst(cut)) : nil))
                // With the other's name written into it.
                let renamed = value.replacing("|\(cut):\(text.prefix(cut))|", with: "|\(other):\(name)|")
                if renamed == value { continue }
                #expect(SignedValue.decode(renamed, name: name, secret: secret, maxAgeDays: 31, time: 5) == nil)
            }
        }
    }

    @Test("SIG-05, Advisory A38: wherever one byte is wrong, there is no value and no error") func malformed() {
        let secret = CookieSecret("It's a secret to everybody")
        let good = Array(Self.good.utf8)
        var wrong: [String] = []
        func check(_ bytes: [UInt8]) {
            let text = String(decoding: bytes, as: UTF8.self)
            _ = SignedValue.keyVersion(text)
            let value = SignedValue.decode(text, name: "key", secret: secret, maxAgeDays: 31, time: 1_300_000_000)
            if value != nil { wrong.append(text) }
        }
        for index in good.indices {
            check(Array(good[..<index]))
            check(Array(good[..<index] + good[(index + 1)...]))
            for byte in "09:|-Z\0".utf8 {
                check(Array(good[..<index] + [byte] + good[index...]))
                if byte != good[index] { check(Array(good[..<index] + [byte] + good[(index + 1)...])) }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test("SIG-07: key versions, the facts of Tornado") func versions() {
        let keys = [0: "asdfbasdf", 1: "12312312", 2: "2342342"]
        let one = "2|1:1|10:1300000000|3:key|4:6Q==|75fed969da3a9a9d3f1a48f2e97dbc8a875c97fec091ae0b07c176494da223fc"
        let zero = "2|1:0|10:1300000000|3:key|4:6Q==|c81b42904a0a85cec931b92e203e2968858d2ac0f6a09d9fde365ed751cb77bc"
        #expect(SignedValue.keyVersion(one) == 1)
        #expect(SignedValue.keyVersion(zero) == 0)
        #expect(SignedValue.keyVersion("value") == nil)
        // Their value is the single byte E9, which is no text: signed well, and refused.
        let all = CookieSecret(keys, signing: 1)
        #expect(SignedValue.decode(one, name: "key", secret: all, maxAgeDays: 31, time: 1_300_000_000) == nil)
        for version in keys.keys {
            let secret = CookieSecret(keys, signing: version)
            let made = SignedValue.create("v", name: "key", secret: secret, time: 5) ?? ""
            #expect(made.hasPrefix("2|1:\(version)|1:5|3:key|4:dg==|"))
            #expect(SignedValue.decode(made, name: "key", secret: all, maxAgeDays: 31, time: 5) == "v")
            var fewer = keys
            fewer[version] = nil
            let revoked = CookieSecret(fewer, signing: version == 0 ? 1 : 0)
            #expect(SignedValue.decode(made, name: "key", secret: revoked, maxAgeDays: 31, time: 5) == nil)
        }
    }

    // MARK: XSRF

    private static func guarded(_ log: Recorder) -> Application {
        var settings = Settings.recording(log)
        settings.accessLog = false
        settings.xsrfCookies = true
        settings.xsrfCookieName = "guard"
        return Application(settings: settings) { Route("/", Guarded.self) }
    }

    @Test("XSR-01, XSR-07: checked before prepare, but for GET, HEAD and OPTIONS") func methods() async throws {
        let log = Recorder()
        try await Self.guarded(log).test { client in
            for method in ["POST", "PUT", "PATCH", "DELETE"] {
                let refused = try await client.request(method, "/")
                #expect(refused.status == 403)
                #expect(refused.headers["X-Prepared"] == nil)
                #expect(log.events.last?.hasSuffix("'_xsrf' argument missing from \(method)") == true)
            }
            for method in ["GET", "HEAD", "OPTIONS"] {
                let answered = try await client.request(method, "/")
                #expect(answered.status == 200)
                #expect(answered.headers["X-Prepared"] == "1")
            }
            #expect(try await client.post("/elsewhere").status == 404)
        }
    }

    @Test("XSR-02 to XSR-06: sources, reasons, name of the cookie") func sources() async throws {
        let log = Recorder()
        try await Self.guarded(log).test { client in
            let page = try await client.get("/")
            #expect(page.headers["Set-Cookie"] == nil)  // XSR-05: not before somebody asks
            let token = try await client.get("/?token=1").text
            let cookie = try #require(client.cookies["guard"])
            #expect(cookie.hasPrefix("2|") && cookie != token)
            #expect(client.cookies["_xsrf"] == nil)
            #expect(try await client.post("/?_xsrf=\(token.replacing("|", with: "%7c"))").text == "ok")
            #expect(try await client.post("/", form: ["_xsrf": token]).text == "ok")
            #expect(try await client.post("/", headers: ["X-Xsrftoken": token]).text == "ok")
            #expect(try await client.post("/", headers: ["X-Csrftoken": token]).text == "ok")
            // A field goes before a header (XSR-02).
            #expect(try await client.post("/", form: ["_xsrf": "00"], headers: ["X-Xsrftoken": token]).status == 403)
            #expect(log.events.last?.hasSuffix("XSRF cookie does not match POST argument") == true)
            #expect(try await client.post("/", form: ["_xsrf": "3|x|y|z"]).status == 403)
            #expect(log.events.last?.hasSuffix("'_xsrf' argument has invalid format") == true)
            // Version 1 of the same token is the same token (XSR-04).
            let raw = try #require(XSRFToken(token)?.raw)
            #expect(try await client.post("/", form: ["_xsrf": Hex.encode(raw)]).text == "ok")
            // A cookie that is no token is as none: a new one is made, and nothing matches it.
            client.cookies["guard"] = "nonsense"
            #expect(try await client.post("/", form: ["_xsrf": token]).status == 403)
            #expect(try await client.get("/?token=1").headers["Set-Cookie"]?.hasPrefix("guard=2|") == true)
        }
    }
}
