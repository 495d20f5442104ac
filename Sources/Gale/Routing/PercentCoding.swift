/// Percent-encoding of RFC 3986, on bytes.
enum PercentCoding {
    /// The text, decoded; nil when it is no UTF-8. A '%' without two digits stays as it is.
    static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String? {
        var out: [UInt8] = []
        out.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = bytes[index]
            if byte == UInt8(ascii: "%"), index + 2 < range.upperBound, let high = digit(bytes[index + 1]),
                let low = digit(bytes[index + 2])
            {
                out.append(high << 4 | low)
                index += 3
            } else {
                out.append(byte)
                index += 1
            }
        }
        return String(validating: out, as: UTF8.self)
    }

    /// Encodes what is not unreserved; '/' stays when `slash` (WEB-35).
    static func encode(_ text: String, slash: Bool) -> String {
        var out: [UInt8] = []
        for byte in text.utf8 {
            append(byte, plain: isUnreserved(byte) || (slash && byte == UInt8(ascii: "/")), to: &out)
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// A URL as Location has it (WEB-20). To browsers "//name/" is another host: of several slashes at its start, which
    /// come of paths that were put together, one stays.
    static func location(_ url: String) -> String {
        let slashes = url.utf8.prefix { $0 == UInt8(ascii: "/") }.count
        return encodeURI(slashes > 1 ? String(Substring(url.utf8.dropFirst(slashes - 1))) : url)
    }

    /// Encodes the bytes that may not stand in a URI at all.
    private static func encodeURI(_ text: String) -> String {
        if text.utf8.allSatisfy(isURIByte) { return text }
        var out: [UInt8] = []
        for byte in text.utf8 { append(byte, plain: isURIByte(byte), to: &out) }
        return String(decoding: out, as: UTF8.self)
    }

    private static func append(_ byte: UInt8, plain: Bool, to out: inout [UInt8]) {
        if plain {
            out.append(byte)
        } else {
            out.append(UInt8(ascii: "%"))
            out.append(upperHex[Int(byte >> 4)])
            out.append(upperHex[Int(byte & 15)])
        }
    }

    private static let upperHex = Array("0123456789ABCDEF".utf8)

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    private static func isURIByte(_ byte: UInt8) -> Bool {
        if byte <= 0x20 || byte >= 0x7f { return false }
        return !"\"<>\\^`{|}".utf8.contains(byte)
    }

    static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
