/// Work on text that the standard library has no linear-time call for.
enum Text {
    /// Where `needle` first occurs at or behind `start`. Linear in both lengths (Knuth, Morris and Pratt).
    static func find(_ needle: [UInt8], in text: [UInt8], from start: Int) -> Int? {
        occurrences(of: needle, in: text, from: start, maximum: 1).first
    }

    /// Where `needle` occurs, without overlaps, at most `maximum` times. An empty needle occurs at the start only.
    static func occurrences(
        of needle: [UInt8], in text: [UInt8], from start: Int = 0, maximum: Int = .max
    ) -> [Int] {
        guard maximum > 0 else { return [] }
        guard !needle.isEmpty else { return [start] }
        guard needle.count <= text.count else { return [] }
        let fallback = fallbacks(of: needle)
        var found: [Int] = []
        var matched = 0
        for index in start..<text.count {
            while matched > 0, text[index] != needle[matched] { matched = fallback[matched - 1] }
            if text[index] == needle[matched] { matched += 1 }
            guard matched == needle.count else { continue }
            found.append(index + 1 - needle.count)
            if found.count == maximum { break }
            matched = 0
        }
        return found
    }

    /// For each prefix of the needle the length of its longest proper prefix that is also its end.
    private static func fallbacks(of needle: [UInt8]) -> [Int] {
        var result = [Int](repeating: 0, count: needle.count)
        var length = 0
        for index in needle.indices.dropFirst() {
            while length > 0, needle[index] != needle[length] { length = result[length - 1] }
            if needle[index] == needle[length] { length += 1 }
            result[index] = length
        }
        return result
    }

    /// The parts of a text between occurrences of a separator.
    static func split(_ text: String, by separator: String, maximum: Int) -> [String] {
        let bytes = Array(text.utf8)
        let needle = Array(separator.utf8)
        var parts: [String] = []
        var start = 0
        for index in occurrences(of: needle, in: bytes, maximum: maximum) {
            parts.append(bytes[start..<index].string)
            start = index + needle.count
        }
        parts.append(bytes[start...].string)
        return parts
    }

    /// The words of a text: the parts between runs of white space.
    static func words(_ text: String) -> [String] {
        text.unicodeScalars.split { $0.properties.isWhitespace }.map { String($0) }
    }

    /// The text without the given characters, or white space, at one end or both.
    static func strip(_ text: String, _ characters: String?, start: Bool, end: Bool) -> String {
        let set = characters.map { Set($0.unicodeScalars) }
        func isStripped(_ scalar: Unicode.Scalar) -> Bool {
            set.map { $0.contains(scalar) } ?? scalar.properties.isWhitespace
        }
        var rest = text.unicodeScalars[...]
        while start, let first = rest.first, isStripped(first) { rest.removeFirst() }
        while end, let last = rest.last, isStripped(last) { rest.removeLast() }
        return String(rest)
    }
}
