/// Checks where a form or a link wants to go next: redirects must stay on this site (DEC-04).
public enum SafeNext {
    /// The target if it is a path of this site: it begins with one '/', holds no backslash, no control character,
    /// and nothing that browsers take out. Else nil.
    public static func check(_ target: String) -> String? {
        guard target.hasPrefix("/"), !target.hasPrefix("//") else { return nil }
        let isClean = target.unicodeScalars.allSatisfy { scalar in
            scalar != "\\" && scalar.value > 0x20 && !(0x7f...0x9f).contains(scalar.value)
        }
        return isClean ? target : nil
    }
}
