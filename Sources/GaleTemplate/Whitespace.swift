/// What happens to white space in a template's text (TPL-16).
///
/// White space means the six ASCII characters. Python counts no-break space and its like too and would drop them;
/// an author who types one wants to keep it.
public enum WhitespaceMode: String, Sendable {
    /// Kept as it is.
    case all
    /// A run of blanks and tabs becomes one blank, a run that has a line end in it one line end.
    case single
    /// Every run becomes one blank.
    case oneline

    /// The mode of a file that says nothing, by its name.
    static func standard(forFile name: String) -> WhitespaceMode {
        name.hasSuffix(".html") || name.hasSuffix(".js") ? .single : .all
    }

    /// A piece of text in this mode. A piece that holds `<pre>` is left alone, as a whole.
    func filter(_ text: ArraySlice<UInt8>) -> [UInt8] {
        guard self != .all, text.contains(where: \.isTemplateSpace), !Self.holdsPre(text) else { return Array(text) }
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            guard text[index].isTemplateSpace else {
                result.append(text[index])
                index += 1
                continue
            }
            var end = index
            while end < text.endIndex, text[end].isTemplateSpace { end += 1 }
            appendRun(text[index..<end], to: &result)
            index = end
        }
        return result
    }

    private func appendRun(_ run: ArraySlice<UInt8>, to result: inout [UInt8]) {
        if self == .oneline {
            result.append(UInt8(ascii: " "))
        } else if run.contains(UInt8(ascii: "\n")) {
            result.append(UInt8(ascii: "\n"))
        } else {
            var inBlanks = false
            for byte in run {
                let isBlank = byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
                if !isBlank { result.append(byte) } else if !inBlanks { result.append(UInt8(ascii: " ")) }
                inBlanks = isBlank
            }
        }
    }

    private static func holdsPre(_ text: ArraySlice<UInt8>) -> Bool {
        let tag = [UInt8]("<pre>".utf8)
        guard text.count >= tag.count else { return false }
        for start in text.startIndex...(text.endIndex - tag.count) where text[start] == tag[0] {
            if text[start..<(start + tag.count)].elementsEqual(tag) { return true }
        }
        return false
    }
}

extension UInt8 {
    /// Blank, tab, line feed, vertical tab, form feed, carriage return.
    var isTemplateSpace: Bool { self == 0x20 || (self >= 0x09 && self <= 0x0D) }
    /// `0` to `9`.
    var isDigit: Bool { self >= 0x30 && self <= 0x39 }
    /// A byte that can begin a name. Bytes of non-ASCII letters count, without asking what they are.
    var isNameStart: Bool { (self | 0x20) >= 0x61 && (self | 0x20) <= 0x7A || self == 0x5F || self >= 0x80 }
    /// A byte that can continue a name.
    var isNameByte: Bool { isNameStart || isDigit }
    /// The value of a hexadecimal digit.
    var hexValue: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x37
        case 0x61...0x66: self - 0x57
        default: nil
        }
    }
}

extension ArraySlice<UInt8> {
    /// Without white space at both ends.
    var trimmed: ArraySlice<UInt8> {
        var slice = self
        while let first = slice.first, first.isTemplateSpace { slice.removeFirst() }
        while let last = slice.last, last.isTemplateSpace { slice.removeLast() }
        return slice
    }

    /// The bytes as text.
    var string: String { String(decoding: self, as: UTF8.self) }
}
