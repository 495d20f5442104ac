/// Checks where a form or a link wants to go next: redirects must stay on this site (DEC-04).
public enum SafeNext {
    /// The target if it is a path of this site: it begins with one '/', holds no backslash, no control character,
    /// and nothing that browsers take out. Else nil.
    public static func check(_ target: String) -> String? {
        // Of bytes: a slash with a combining mark behind it is another character, but no other slash to browsers.
        let start = target.utf8.prefix(2)
        guard start.first == UInt8(ascii: "/"), start.dropFirst().first != UInt8(ascii: "/") else { return nil }
        let isClean = target.unicodeScalars.allSatisfy { scalar in
            scalar != "\\" && scalar.value > 0x20 && !(0x7f...0x9f).contains(scalar.value)
        }
        return isClean ? target : nil
    }
}
