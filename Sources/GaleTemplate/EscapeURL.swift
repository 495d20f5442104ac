/// Escaping for URLs.
extension Escape {
    /// Text made safe for a URL (ESC-02): everything but `A-Z a-z 0-9 _ . - ~` becomes `%XX`. With `plus`, as in
    /// forms and queries, a blank becomes `+`; without, as in paths, a blank becomes `%20` and `/` stays.
    public static func urlEscape(_ text: String, plus: Bool = true) -> String {
        var output: [UInt8] = []
        output.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: output.append(byte)
            case UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "~"): output.append(byte)
            case UInt8(ascii: "/") where !plus: output.append(byte)
            case UInt8(ascii: " ") where plus: output.append(UInt8(ascii: "+"))
            default: output += [UInt8(ascii: "%"), upperHexDigit(byte >> 4), upperHexDigit(byte & 15)]
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Text with its `%XX` decoded, and `+` as a blank unless `plus` is false (ESC-02). Bytes that are not UTF-8
    /// become replacement characters; a `%` without two digits stays.
    public static func urlUnescape(_ text: String, plus: Bool = true) -> String {
        String(decoding: urlUnescapeBytes(text, plus: plus), as: UTF8.self)
    }

    /// Like `urlUnescape`, but gives the bytes as they are (ESC-02, Tornado's `encoding=None`).
    public static func urlUnescapeBytes(_ text: String, plus: Bool = true) -> [UInt8] {
        let bytes = Array(text.utf8)
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "%"), index + 1 < bytes.count, let high = bytes[index].hexValue,
                let low = bytes[index + 1].hexValue
            {
                output.append(high << 4 | low)
                index += 2
            } else {
                output.append(byte == UInt8(ascii: "+") && plus ? UInt8(ascii: " ") : byte)
            }
        }
        return output
    }

    private static func upperHexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x37 + value }
}
