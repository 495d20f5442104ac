/// Signs cookies: one secret, or several by version so that they can be changed (SIG-07).
///
/// At least 32 bytes each; an application with a shorter one doesn't start (SIG-09).
public struct CookieSecret: Sendable {
    let keys: [Int: [UInt8]]
    let signing: Int

    /// One secret.
    public init(_ secret: String) {
        keys = [0: Array(secret.utf8)]
        signing = 0
    }

    /// Several; new cookies are signed with that of version `signing`. To take one out revokes its cookies.
    public init(_ secrets: [Int: String], signing: Int) {
        keys = secrets.mapValues { Array($0.utf8) }
        self.signing = signing
    }

    /// A new secret, for as long as the process lives: cookies of an earlier run are void.
    public static func random() -> CookieSecret { CookieSecret(Hex.encode(Random.bytes(32))) }

    /// Why an application should not start with it.
    var mistake: String? {
        if keys[signing] == nil { return "cookieSecret has no key of version \(signing), which is to sign" }
        if keys.values.contains(where: { $0.count < 32 }) { return "cookieSecret is shorter than 32 bytes" }
        return nil
    }
}

/// Tornado's signed values, version 2 (SIG-01):
/// `2|L:keyversion|L:timestamp|L:name|L:base64|signature`, each field with its length.
enum SignedValue {
    static func create(_ value: String, name: String, secret: CookieSecret, time: Int) -> String? {
        guard let key = secret.keys[secret.signing] else { return nil }
        func field(_ text: String) -> String { "\(text.utf8.count):\(text)|" }
        let fields = [String(secret.signing), String(time), name, Base64.encode(Array(value.utf8))]
        let signed = "2|" + fields.map(field).joined()
        return signed + Hex.encode(HMAC.sha256(key: key, signed.utf8))
    }

    /// The value; nil for everything that isn't whole, ours and young enough (SIG-04 to SIG-06).
    static func decode(_ text: String, name: String, secret: CookieSecret, maxAgeDays: Double, time: Int) -> String? {
        guard let fields = split(text), fields.count == 5, let version = digits(fields[0]),
            let stamp = digits(fields[1]), let key = secret.keys[version]
        else { return nil }
        let signature = fields[4]
        let signed = text.utf8.dropLast(signature.count)
        let expected = Array(Hex.encode(HMAC.sha256(key: key, signed)).utf8)
        guard equalInConstantTime(Array(signature), expected), fields[2].elementsEqual(name.utf8) else { return nil }
        if Double(stamp) < Double(time) - maxAgeDays * 86400 || stamp > time + 86400 { return nil }
        guard let bytes = Base64.decode(String(decoding: fields[3], as: UTF8.self)) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// The version of the key that a value names; nil when it is no signed value.
    static func keyVersion(_ text: String) -> Int? {
        guard let fields = split(text) else { return nil }
        return digits(fields[0])
    }

    /// Key version, timestamp, name, value and signature.
    private static func split(_ text: String) -> [ArraySlice<UInt8>]? {
        var rest = Array(text.utf8)[...]
        guard rest.starts(with: "2|".utf8) else { return nil }
        rest = rest.dropFirst(2)
        var fields: [ArraySlice<UInt8>] = []
        for _ in 0..<4 {
            guard let colon = rest.firstIndex(of: UInt8(ascii: ":")), let length = digits(rest[..<colon]),
                length < rest.endIndex - colon - 1, rest[colon + 1 + length] == UInt8(ascii: "|")
            else { return nil }
            fields.append(rest[(colon + 1)..<(colon + 1 + length)])
            rest = rest[(colon + 2 + length)...]
        }
        fields.append(rest)
        return fields
    }

    /// Digits only, at most 15 of them.
    private static func digits(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard !bytes.isEmpty, bytes.count <= 15 else { return nil }
        var number = 0
        for byte in bytes {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return number
    }
}
