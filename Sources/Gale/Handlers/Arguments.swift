internal import GaleCore

/// Fields of queries and urlencoded bodies (HU-13).
enum URLEncoded {
    static func parse(_ bytes: Span<UInt8>) throws -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        do {
            try PairReader.query(bytes) { name, value in fields.append((try text(name), try text(value))) }
        } catch is PairReader.TooMany {
            throw HTTPError(400, "more than 1000 fields")
        }
        return fields
    }

    private static func text(_ bytes: Span<UInt8>) throws -> String {
        guard let text = String(validating: bytes) else { throw HTTPError(400, "a field that is no UTF-8") }
        return text
    }
}

extension Call {
    enum ArgumentSource { case query, form }

    /// The fields of the query, or of a form; parsed once.
    func arguments(_ source: ArgumentSource) throws -> [(name: String, value: String)] {
        switch source {
        case .query:
            if let known = extrasIfAny?.query { return known }
            let fields = try withQuery { try URLEncoded.parse($0) }
            extras.query = fields
            return fields
        case .form:
            if let known = extrasIfAny?.form { return known }
            let fields: [(name: String, value: String)]
            if let parts = try parts() {
                fields = parts.filter { $0.filename == nil }.map { ($0.name, $0.value) }
            } else {
                let isForm = bodyType == "application/x-www-form-urlencoded"
                if isForm && header("Content-Encoding") != nil { throw HTTPError(400, "a form with Content-Encoding") }
                fields = isForm ? try withBody { try URLEncoded.parse($0) } : []
            }
            extras.form = fields
            return fields
        }
    }
}

extension String {
    /// Without blanks and tabs at both ends.
    var trimmingBlanks: String {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        guard let first = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) }) else {
            return ""
        }
        return String(self[first...last])
    }

    /// As an argument of Tornado: control characters become blanks, and those at both ends go (WEB-13).
    var asArgument: String {
        var scalars = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            let isControl = scalar.value <= 8 || (scalar.value >= 14 && scalar.value < 32)
            scalars.append(isControl ? " " : scalar)
        }
        let text = String(scalars)
        guard let first = text.firstIndex(where: { !$0.isWhitespace }),
            let last = text.lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(text[first...last])
    }
}

extension RequestHandler {
    /// The last field of this name in the query, trimmed. Throws 400 when the query is malformed (WEB-12).
    public final func query(_ name: String) throws -> String? { try queryAll(name).last }

    /// All fields of this name in the query.
    public final func queryAll(_ name: String) throws -> [String] {
        try call?.arguments(.query).filter { $0.name == name }.map(\.value.asArgument) ?? []
    }

    /// The last field of this name in a form, trimmed. Throws 400 when it is malformed (HU-11).
    public final func form(_ name: String) throws -> String? { try formAll(name).last }

    /// All fields of this name in a form.
    public final func formAll(_ name: String) throws -> [String] {
        try call?.arguments(.form).filter { $0.name == name }.map(\.value.asArgument) ?? []
    }

    /// The field of this name, of the body if it is there, else of the query. Throws 400 when there is none (WEB-11).
    public final func argument(_ name: String) throws -> String {
        guard let value = try form(name) ?? query(name) else { throw HTTPError(400, "Missing argument \(name)") }
        return value
    }

    /// The field of this name, or `value` when there is none.
    public final func argument(_ name: String, default value: String) throws -> String {
        try form(name) ?? query(name) ?? value
    }
}
