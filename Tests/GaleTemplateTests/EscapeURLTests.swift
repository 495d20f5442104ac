import GaleTemplate
import Testing

@Suite("Escape for URLs")
struct EscapeURLTests {
    @Test("ESC-02: escape", arguments: Facts.pairs("url_escape_plus"))
    func escapePlus(_ row: Facts.Pair) { #expect(Escape.urlEscape(row.input) == row.expected) }

    @Test("ESC-02: escape for paths", arguments: Facts.pairs("url_escape_noplus"))
    func escapePath(_ row: Facts.Pair) { #expect(Escape.urlEscape(row.input, plus: false) == row.expected) }

    @Test("ESC-02: unescape", arguments: Facts.pairs("url_unescape_plus") + ExtraFacts.pairs("url_unescape"))
    func unescapePlus(_ row: Facts.Pair) { #expect(Escape.urlUnescape(row.input) == row.expected) }

    @Test("ESC-02: unescape of paths", arguments: Facts.pairs("url_unescape_noplus"))
    func unescapePath(_ row: Facts.Pair) { #expect(Escape.urlUnescape(row.input, plus: false) == row.expected) }

    @Test("ESC-02: bytes that are no UTF-8 come out as they are")
    func bytes() { #expect(Escape.urlUnescapeBytes("%e9+%FF") == [0xE9, 0x20, 0xFF]) }

    @Test("the fixture was read")
    func complete() {
        #expect(Facts.pairs("url_escape_plus").count == 4)
        #expect(Facts.pairs("url_escape_noplus").count == 4)
        #expect(Facts.pairs("url_unescape_plus").count == 3)
        #expect(Facts.pairs("url_unescape_noplus").count == 2)
    }
}
