import GaleTesting
import Testing

@testable import Gale

private final class Form: RequestHandler {
    override func get() async throws {
        _ = try xsrfFormHTML()
        try write(try xsrfFormHTML())
    }
    override func post() async throws { try write("posted \(try form("a") ?? "")") }
}

private final class Cookies: RequestHandler {
    override func get() async throws {
        switch try query("do") {
        case "set":
            try setCookie("a", "1", CookieOptions(path: "/x"))
            try setCookie("a", "2")  // WEB-16
            try setSignedCookie("user", "J\u{f6}rg")
        case "clear": try clearCookie("user")
        case "bad": try setCookie("a", "b c")
        default:
            try write("\(cookie("a") ?? "-") \(signedCookie("user") ?? "-") \(signedCookieKeyVersion("user") ?? -1)")
        }
    }
}

@Suite struct SecurityTests {
    private static let secret = CookieSecret("It's a secret to everybody")

    @Test("FIPS 180-4 and RFC 4231 vectors") func hashes() {
        #expect(
            Hex.encode(SHA256.digest("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            Hex.encode(SHA256.digest("".utf8)) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        let long = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
        #expect(
            Hex.encode(SHA256.digest(long.utf8)) == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        let million = repeatElement(UInt8(ascii: "a"), count: 1_000_000)
        #expect(
            Hex.encode(SHA256.digest(million)) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
        let jefe = HMAC.sha256(key: Array("Jefe".utf8), "what do ya want for nothing?".utf8)
        #expect(Hex.encode(jefe) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        let longKey = HMAC.sha256(
            key: [UInt8](repeating: 0xaa, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First".utf8)
        #expect(Hex.encode(longKey) == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    @Test(
        "RFC 4648 vectors",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ])
    func base64(_ plain: String, _ encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(plain.utf8))
        for bad in ["Z", "Zg", "Zg=", "Z===", "Zg==Zg==", "Z g="] { #expect(Base64.decode(bad) == nil) }
    }

    @Test("SIG-01, SIG-02: the vectors") func signed() {
        let vector =
            "2|1:0|10:1300000000|3:key|8:dmFsdWU=|3d4e60b996ff9c5d5788e333a0cba6f238a22c6c0f94788870e1a9ecd482e152"
        #expect(SignedValue.create("value", name: "key", secret: Self.secret, time: 1_300_000_000) == vector)
        func decode(_ text: String, name: String = "key", age: Double = 31, at time: Int = 1_300_000_000) -> String? {
            SignedValue.decode(text, name: name, secret: Self.secret, maxAgeDays: age, time: time)
        }
        #expect(decode(vector) == "value")
        let utf8 = "2|1:0|10:1300000000|3:key|4:w6k=|83bb0c7762d43a96b1c5ce55a022d3b03cac363f1e3c27e4bd1097e3a9dfb5af"
        #expect(decode(utf8) == "\u{e9}")
        let empty = "2|1:0|10:1300000000|3:key|0:|6e95660506257587586edb4dbac28ab1c44d8163a37af507ec5c99232c6d4a87"
        #expect(decode(empty) == "")
        #expect(decode(vector, name: "other") == nil)
        let day = 86400
        #expect(decode(vector, at: 1_300_000_000 + 31 * day) == "value")  // SIG-05
        #expect(decode(vector, at: 1_300_000_000 + 31 * day + 1) == nil)
        #expect(decode(vector, at: 1_300_000_000 - 2 * day) == nil)  // SIG-06
        let bad = [
            vector.replacing("1:0|", with: "1:1|"), vector.replacing("10:1300000000", with: "10:130000000"),
            vector.replacing("3:key", with: "3:keey"), vector.replacing("|3d4e", with: "|4d4e"), vector + "8",
            String(vector.dropLast()), "", "value", vector.replacing("2|1:0", with: "3|1:0"), "2|", "2|1:", "2|1:0",
            "2|99999999999999999999:0|", "2|-1:0|", "2|1:0|10:1300000000|3:key|8:dmFsdWU=|", "|||||",
            "dmFsdWU=|1300000000|31c934969f53e48164c50768b40cbd7e2daaaa4f",
        ]
        for text in bad { #expect(decode(text) == nil, "\(text)") }
    }

    @Test("SIG-07: key versions") func versions() {
        let secret = CookieSecret([0: "asdfbasdf", 1: "12312312", 2: "2342342"], signing: 1)
        let vector = "2|1:1|10:1300000000|3:key|4:6Q==|75fed969da3a9a9d3f1a48f2e97dbc8a875c97fec091ae0b07c176494da223fc"
        #expect(SignedValue.keyVersion(vector) == 1)
        let made = SignedValue.create("v", name: "key", secret: secret, time: 5)
        #expect(made.flatMap { SignedValue.keyVersion($0) } == 1)
        let revoked = CookieSecret([0: "asdfbasdf"], signing: 0)
        #expect(made.flatMap { SignedValue.decode($0, name: "key", secret: revoked, maxAgeDays: 31, time: 5) } == nil)
    }

    @Test("SIG-09: a short secret stops the start") func shortSecret() async throws {
        var settings = Settings.quiet
        settings.cookieSecret = CookieSecret("short")
        let app = Application(settings: settings) { Route(get: "/") { "" } }
        await #expect(throws: ServerError.self) { try await app.test { _ in } }
    }

    @Test("XSR-03, XSR-04, Advisory A8: tokens") func tokens() throws {
        let token = XSRFToken(time: 1_300_000_000)
        // No two pages have the same text, and none the token itself.
        let pages = (0..<50).map { _ in token.masked }
        #expect(Set(pages).count == 50 && pages.allSatisfy { !$0.contains(Hex.encode(token.raw)) })
        #expect(pages.allSatisfy { XSRFToken($0)?.raw == token.raw })
        let masked = token.masked
        #expect(masked != token.masked)
        #expect(masked.utf8.count == 2 + 9 + 33 + 10)
        #expect(XSRFToken(masked)?.raw == token.raw)
        #expect(XSRFToken(Hex.encode(token.raw))?.raw == token.raw)
        for bad in [
            "", "2|", "3|00000000|00|1", "2|000000|00|1", "2|00000000|0|1", "2|00000000||1", "zz", "2|00000000|00|x",
        ] {
            #expect(XSRFToken(bad) == nil, "\(bad)")
        }
    }

    @Test("XSR-01, XSR-02, XSR-06, XSR-08, Advisory A2: the check") func check() async throws {
        var settings = Settings.quiet
        settings.xsrfCookies = true
        let app = Application(settings: settings) {
            Route("/form", Form.self)
            Route(post: "/api") { "open" }
        }
        try await app.test { client in
            let bare = try await client.post("/form")
            #expect(bare.status == 403)
            #expect(try await client.post("/none").status == 404)  // XSR-07
            #expect(try await client.post("/api").status == 200)
            let page = try await client.get("/form").text
            let start = "<input type=\"hidden\" name=\"_xsrf\" value=\""
            #expect(page.hasPrefix(start) && page.hasSuffix("\"/>"))
            let token = String(page.dropFirst(start.count).dropLast(3))
            #expect(client.cookies["_xsrf"] != nil)
            #expect(client.cookies["_xsrf"] != token)
            #expect(try await client.post("/form", form: ["_xsrf": token, "a": "1"]).text == "posted 1")
            #expect(try await client.post("/form", headers: ["X-XSRFToken": token]).status == 200)
            #expect(try await client.post("/form", headers: ["X-CSRFToken": token]).status == 200)
            #expect(try await client.post("/form", headers: ["X-Requested-With": "XMLHttpRequest"]).status == 403)
            let other = XSRFToken(time: 1).masked
            #expect(try await client.post("/form", form: ["_xsrf": other]).status == 403)
            #expect(try await client.post("/form", form: ["_xsrf": "x"]).status == 403)
            let again = try await client.get("/form")
            #expect(again.headers["Set-Cookie"] == nil)
        }
    }

    @Test("WEB-15 to WEB-18, SIG-08: cookies") func cookies() async throws {
        var settings = Settings.quiet
        settings.cookieSecret = .random()
        let app = Application(settings: settings) { Route("/", Cookies.self) }
        try await app.test { client in
            let set = try await client.get("/?do=set").headers.all("Set-Cookie")
            #expect(set.count == 2)
            #expect(set.first == "a=2; Path=/")
            #expect(set.last?.hasPrefix("user=\"2|1:0|10:") == true || set.last?.hasPrefix("user=2|1:0|10:") == true)
            #expect(set.last?.hasSuffix("; HttpOnly; Path=/; SameSite=Lax") == true)
            #expect(try await client.get("/").text == "2 J\u{f6}rg 0")
            _ = try await client.get("/?do=clear")
            #expect(try await client.get("/").text == "2 - -1")
            #expect(try await client.get("/?do=bad").status == 500)
            // Advisory A38: no value, and no error.
            for bad in ["2|", "2|1:0|10:1300000000|4:user|4:dg==|00", "3|1:0|", "%%%", "2|1:0|10:x|4:user|0:|"] {
                client.cookies["user"] = bad
                let answer = try await client.get("/")
                #expect(answer.status == 200 && answer.text.hasPrefix("2 - "), "\(bad)")
            }
        }
    }

    @Test("WEB-17: the line") func line() {
        let options = CookieOptions(
            expiresDays: 0, maxAge: 5, path: "/p", domain: "e.com", secure: true, httpOnly: true, sameSite: .lax)
        #expect(
            options.line(name: "a", value: "b", now: 1_300_000_000)
                == "a=b; Domain=e.com; expires=Sun, 13 Mar 2011 07:06:40 GMT; HttpOnly; Max-Age=5; Path=/p; SameSite=Lax; Secure"
        )
        #expect(
            CookieOptions(maxAge: 0).line(name: "a", value: "s;z,\u{e9}", now: 0)
                == "a=\"s\\073z\\054\\303\\251\"; Max-Age=0; Path=/")
        for (name, path) in [("a;b", "/"), ("a", "/;x"), ("", "/"), ("a", "/\n")] {
            #expect(CookieOptions(path: path).line(name: name, value: "", now: 0) == nil)
        }
        #expect(CookieOptions().line(name: "__Host-a", value: "", now: 0) == nil)  // WEB-19
        #expect(CookieOptions(secure: true).line(name: "__Host-a", value: "", now: 0) != nil)
        #expect(HTTPDate.format(1_359_312_200) == "Sun, 27 Jan 2013 18:43:20 GMT")  // HU-24
        #expect(HTTPDate.format(951_782_400) == "Tue, 29 Feb 2000 00:00:00 GMT")
    }

    @Test(
        "HU-30, Advisory A11: parsing",
        arguments: [
            ("chips=ahoy; vienna=finger", ["chips": "ahoy", "vienna": "finger"]),
            (
                #"keebler="E=mc2; L=\"Loves\"; fudge=\012;""#,
                ["keebler": "\"E=mc2", "L": #"\"Loves\""#, "fudge": #"\012"#, "": "\""]
            ),
            ("keebler=E=mc2", ["keebler": "E=mc2"]),
            ("a=b; h=i; a=c", ["a": "c", "h": "i"]),
            ("a=b; \"; c=d", ["a": "b", "": "\"", "c": "d"]),
            ("  =  b  ;  ;  =  ;   c  =  ;  ", ["": "b", "c": ""]),
            (";;;", [:]), ("a=;b", ["a": "", "": "b"]), (#"a="b"#, ["a": "\"b"]), (#"a="b=\"""#, ["a": "b=\""]),
            (#"a="b=\\""#, ["a": #"b=\"#]), (#"a="b=\=""#, ["a": "b=="]), (#"a="b=\n""#, ["a": "b=n"]),
            (#"a="b=\042""#, ["a": "b=\""]), (#"a="b=\42""#, ["a": "b=42"]), (#"a="b=\\042""#, ["a": #"b=\042"#]),
            (#"a="b=\\\"""#, ["a": #"b=\""#]), (#"a="b=\134\042""#, ["a": #"b=\""#]),
        ] as [(String, [String: String])])
    func parse(_ text: String, _ expected: [String: String]) {
        let parsed = CookieParser.parse(text).reduce(into: [:]) { $0[$1.name] = $1.value }
        #expect(parsed == expected)
    }

    /// Were it quadratic, this would not end.
    @Test("HU-31, Advisory A17: linear") func linear() {
        let parsed = CookieParser.parse("a=\"" + String(repeating: "\\", count: 8_000_000) + "\"")
        #expect(parsed.count == 1 && parsed.first?.value.utf8.count == 4_000_000)
    }
}
