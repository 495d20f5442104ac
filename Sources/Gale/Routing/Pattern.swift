/// A path pattern: "/users/{id:int}/files/{path...}" (RT-06).
///
/// `{name}` takes the bytes up to the next '/', or up to what follows it in the pattern; `{name:int}` digits only;
/// `{name...}` the rest of the path, also when it is empty. Matched against the path as it stands in the target;
/// what is captured is decoded afterwards (RT-03, WEB-05).
struct Pattern: Sendable {
    enum Part: Sendable {
        case literal([UInt8])
        case segment(digits: Bool, stop: UInt8)
        case rest
    }

    /// As written.
    let text: String
    let parts: [Part]
    /// Of the captures, in order.
    let names: [String]

    /// Whether it is a plain path.
    var isStatic: Bool { names.isEmpty }

    /// Throws `RouteError` when the braces don't fit.
    init(_ text: String) throws(RouteError) {
        self.text = text
        var parts: [Part] = []
        var names: [String] = []
        var rest = Substring(text)
        while let open = rest.firstIndex(of: "{") {
            if open > rest.startIndex { parts.append(.literal(Array(rest[..<open].utf8))) }
            guard let close = rest[open...].firstIndex(of: "}") else { throw RouteError(text, "a { without }") }
            let spec = rest[rest.index(after: open)..<close]
            rest = rest[rest.index(after: close)...]
            let (name, part) = try Pattern.capture(spec, stop: rest.utf8.first ?? UInt8(ascii: "/"), in: text)
            if case .rest = part, !rest.isEmpty { throw RouteError(text, "{\(name)...} must be last") }
            if names.contains(name) { throw RouteError(text, "{\(name)} twice") }
            if rest.first == "{" { throw RouteError(text, "two captures with nothing between them") }
            names.append(name)
            parts.append(part)
        }
        if rest.contains("}") { throw RouteError(text, "a } without {") }
        if !rest.isEmpty { parts.append(.literal(Array(rest.utf8))) }
        self.parts = parts
        self.names = names
    }

    private static func capture(
        _ spec: Substring, stop: UInt8, in text: String
    ) throws(RouteError) -> (String, Part) {
        if spec.hasSuffix("...") { return (try name(spec.dropLast(3), in: text), .rest) }
        let pieces = spec.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard pieces.count == 2 else { return (try name(spec, in: text), .segment(digits: false, stop: stop)) }
        guard pieces[1] == "int" else { throw RouteError(text, "unknown kind \(pieces[1]): there is only int") }
        return (try name(pieces[0], in: text), .segment(digits: true, stop: stop))
    }

    private static func name(_ name: Substring, in text: String) throws(RouteError) -> String {
        let valid = !name.isEmpty && name.utf8.allSatisfy { $0 == UInt8(ascii: "_") || isAlphanumeric($0) }
        guard valid else { throw RouteError(text, "{\(name)} is no name") }
        return String(name)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
            || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
    }

    /// Whether the path matches; the captured ranges are in `captures` then.
    func matches(_ path: Span<UInt8>, _ captures: inout [Range<Int>]) -> Bool {
        captures.removeAll(keepingCapacity: true)
        var index = 0
        for part in parts {
            switch part {
            case .literal(let bytes):
                if path.count - index < bytes.count { return false }
                for offset in bytes.indices where path[index + offset] != bytes[offset] { return false }
                index += bytes.count
            case .segment(let digits, let stop):
                let start = index
                while index < path.count, path[index] != stop, path[index] != UInt8(ascii: "/") {
                    if digits, path[index] < UInt8(ascii: "0") || path[index] > UInt8(ascii: "9") { return false }
                    index += 1
                }
                if index == start { return false }
                captures.append(start..<index)
            case .rest:
                captures.append(index..<path.count)
                index = path.count
            }
        }
        return index == path.count
    }

    /// The path with these values in place of the captures, percent-encoded; nil when their number is wrong (WEB-35).
    func path(_ values: [String]) -> String? {
        guard values.count == names.count else { return nil }
        var path = ""
        var next = values.makeIterator()
        for part in parts {
            switch part {
            case .literal(let bytes): path += String(decoding: bytes, as: UTF8.self)
            case .segment: path += PercentCoding.encode(next.next() ?? "", slash: false)
            case .rest: path += PercentCoding.encode(next.next() ?? "", slash: true)
            }
        }
        return path
    }
}

/// A route that cannot be: the pattern and what is wrong with it.
public struct RouteError: Error, Sendable, CustomStringConvertible {
    /// One sentence.
    public let description: String

    init(_ pattern: String, _ reason: String) { description = "route \"\(pattern)\": \(reason)" }
}
