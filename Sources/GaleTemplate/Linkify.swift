/// How `Escape.linkify` makes links (ESC-06).
public struct LinkifyOptions: Sendable {
    /// Show long URLs shortened to about 30 characters, with the whole in the link's title.
    public var shorten = false
    /// Attributes for each link, such as `rel="nofollow"`. Not escaped.
    public var extraParameters = ""
    /// Attributes for each link, made from its address; used instead of `extraParameters`.
    public var extraParametersFor: (@Sendable (String) -> String)?
    /// Link only what names its protocol, not `www.example.com`.
    public var requireProtocol = false
    /// The protocols that become links; others stay text. `javascript` should never be among them.
    public var permittedProtocols = ["http", "https"]

    /// The defaults.
    public init() {}
}

extension Escape {
    /// Text escaped for HTML, with its URLs made into links (ESC-06). Brackets that are balanced within a URL belong
    /// to it, punctuation at its end doesn't.
    public static func linkify(_ text: String, _ options: LinkifyOptions = LinkifyOptions()) -> String {
        var scanner = LinkScanner(html(text), options)
        return scanner.run()
    }
}

/// Finds URLs in escaped text, in one pass. A candidate is a run of word characters and hyphens: it is either a
/// protocol, followed by `:/`, or ends in `www`, followed by a point. A run that turns out to be neither is passed
/// over as a whole, and a body that fails holds no runs, so nothing is read more than a few times.
private struct LinkScanner {
    private let text: [Unicode.Scalar]
    private let options: LinkifyOptions
    private var output: [Unicode.Scalar] = []

    init(_ escaped: String, _ options: LinkifyOptions) {
        text = Array(escaped.unicodeScalars)
        self.options = options
    }

    mutating func run() -> String {
        var index = 0
        while index < text.count {
            guard Self.isRunScalar(text[index]) else {
                output.append(text[index])
                index += 1
                continue
            }
            var end = index
            while end < text.count, Self.isRunScalar(text[end]) { end += 1 }
            if let link = link(start: index, end: end) {
                output += text[index..<link.start]
                output += rendered(link).unicodeScalars
                index = link.end
            } else {
                output += text[index..<end]
                index = end
            }
        }
        return Self.string(output[...])
    }

    private struct Link {
        let start: Int
        let end: Int
        /// The length of the protocol, 0 for `www.`, and of the slashes behind it.
        let nameLength: Int
        let slashes: Int
    }

    /// The link that begins in the run `start..<end`, if there is one.
    private func link(start: Int, end: Int) -> Link? {
        // A link begins at a word: hyphens before the first word character don't belong to it.
        guard let first = (start..<end).first(where: { Self.isWord(text[$0]) }), end < text.count else { return nil }
        if text[end] == ":" {
            var slashes = 0
            while slashes < 3, end + 1 + slashes < text.count, text[end + 1 + slashes] == "/" { slashes += 1 }
            // A slash too many may be part of the body: `http:///` is the body `/` behind two slashes.
            while slashes > 0 {
                if let bodyEnd = body(from: end + 1 + slashes) {
                    return Link(start: first, end: bodyEnd, nameLength: end - first, slashes: slashes)
                }
                slashes -= 1
            }
            return nil
        }
        let isWWW = end - start >= 3 && text[end] == "." && text[(end - 3)..<end].allSatisfy { $0 == "w" }
        guard isWWW, end - 3 == start || text[end - 4] == "-", let bodyEnd = body(from: end + 1) else { return nil }
        return Link(start: end - 3, end: bodyEnd, nameLength: 0, slashes: 0)
    }

    /// Where the body of a URL ends: runs without brackets that end in no punctuation, and bracketed runs.
    private func body(from start: Int) -> Int? {
        var end = start
        while true {
            let (runEnd, lastGood) = plainRun(from: end)
            if lastGood > end { end = lastGood }
            // A bracket belongs to the URL only directly behind it and when it is closed.
            guard runEnd == end, end < text.count, text[end] == "(" else { break }
            let (inner, _) = plainRun(from: end + 1)
            guard inner < text.count, text[inner] == ")" else { break }
            end = inner + 1
        }
        return end > start ? end : nil
    }

    /// The end of the run of characters that may stand in a URL, and the end of the last that may end one.
    private func plainRun(from start: Int) -> (end: Int, lastGood: Int) {
        var index = start
        var lastGood = start
        while index < text.count {
            let scalar = text[index]
            if scalar == "&" {
                guard let entity = Self.entities.first(where: { text[index...].starts(with: $0) }) else { break }
                index += entity.count
            } else if scalar == "(" || scalar == ")" || scalar.properties.isWhitespace {
                break
            } else {
                index += 1
                if !Self.isPunctuation(scalar) { lastGood = index }
            }
        }
        return (index, lastGood)
    }

    /// The entities that may stand in a URL, as the escaped forms of `&` and `"`.
    private static let entities = ["&amp;", "&quot;"].map { Array($0.unicodeScalars) }

    private static let punctuation = Set("!\"#$%&'()*+,.:;<=>?@[]^`{|}~".unicodeScalars)

    private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        // Most of a URL is letters, digits and slashes.
        !isRunScalar(scalar) && scalar != "/" && punctuation.contains(scalar)
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return UInt8(ascii: scalar).isNameByte }
        return scalar.properties.isAlphabetic || scalar.properties.numericType != nil
    }

    private static func isRunScalar(_ scalar: Unicode.Scalar) -> Bool { scalar == "-" || isWord(scalar) }

    // MARK: Markup

    private func rendered(_ link: Link) -> String {
        let url = Array(text[link.start..<link.end])
        let name = Self.string(url.prefix(link.nameLength))
        let isRefused = name.isEmpty ? options.requireProtocol : !options.permittedProtocols.contains(name)
        guard !isRefused else { return Self.string(url[...]) }
        let address = (name.isEmpty ? "http://" : "") + Self.string(url[...])
        var parameters = options.extraParametersFor?(address) ?? options.extraParameters
        parameters = Text.strip(parameters, nil, start: true, end: true)
        if !parameters.isEmpty { parameters = " " + parameters }
        var shown = url
        if options.shorten,
            let short = Self.shortened(url, prefix: name.isEmpty ? 0 : link.nameLength + 1 + link.slashes)
        {
            shown = short
            parameters += " title=\"\(address)\""
        }
        return "<a href=\"\(address)\"\(parameters)>\(Self.string(shown[...]))</a>"
    }

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        String(String.UnicodeScalarView(scalars))
    }

    private static let maximumLength = 30

    /// The host and the first 8 characters of the path, with `...`; nil when that would not be shorter.
    private static func shortened(_ url: [Unicode.Scalar], prefix: Int) -> [Unicode.Scalar]? {
        guard url.count > maximumLength else { return nil }
        var short = url
        let parts = url[prefix...].split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        if parts.count > 1 {
            let path = parts[1].prefix(8).prefix { $0 != "?" && $0 != "." }
            short = Array(url[..<prefix]) + parts[0] + ["/"] + path
        }
        if short.count * 2 > maximumLength * 3 { short = Array(short.prefix(maximumLength)) }
        guard short != url else { return nil }
        // An entity must not be cut in the middle.
        if let ampersand = short.lastIndex(of: "&"), ampersand > maximumLength - 5 {
            short = Array(short[..<ampersand])
        }
        short += Array("...".unicodeScalars)
        return short.count < url.count ? short : nil
    }
}
