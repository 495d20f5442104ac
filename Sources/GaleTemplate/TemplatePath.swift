/// Template names as paths below a root (TPL-17).
enum TemplatePath {
    /// The normal form of `name` as used by `parent`: relative names start at the directory of the parent, unless
    /// the parent is no file of the loader (`<string>`, or absolute). Throws for a name that leaves the root, is
    /// absolute or has a NUL byte in it.
    static func resolve(_ name: String, from parent: String?) throws -> String {
        guard !name.utf8.contains(0), !name.hasPrefix("/") else { throw outside(name) }
        var parts: [Substring] = []
        if let parent, !parent.hasPrefix("<"), !parent.hasPrefix("/") {
            parts = parent.split(separator: "/").dropLast()
        }
        for part in name.split(separator: "/") where part != "." {
            if part == ".." {
                guard parts.popLast() != nil else { throw outside(name) }
            } else {
                parts.append(part)
            }
        }
        guard !parts.isEmpty else { throw TemplateError(.notFound, "no template named '\(name)'") }
        return parts.joined(separator: "/")
    }

    private static func outside(_ name: String) -> TemplateError {
        TemplateError(.notFound, "template path '\(name)' leaves the root")
    }
}
