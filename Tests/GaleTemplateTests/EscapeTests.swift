import GaleTemplate
import Testing

@Suite("Escape")
struct EscapeTests {
    @Test("ESC-01: html", arguments: Facts.pairs("xhtml_escape"))
    func html(_ row: Facts.Pair) {
        #expect(Escape.html(row.input) == row.expected)
        #expect(Escape.xhtmlEscape(row.input) == row.expected)
    }

    @Test("ESC-01: htmlUnescape", arguments: Facts.pairs("xhtml_unescape") + ExtraFacts.pairs("xhtml_unescape"))
    func htmlUnescape(_ row: Facts.Pair) { #expect(Escape.htmlUnescape(row.input) == row.expected) }

    @Test("ESC-04: squeeze", arguments: Facts.pairs("squeeze"))
    func squeeze(_ row: Facts.Pair) { #expect(Escape.squeeze(row.input) == row.expected) }

    @Test("the fixture was read")
    func complete() {
        #expect(Facts.pairs("xhtml_escape").count == 4)
        #expect(Facts.pairs("xhtml_unescape").count == 7)
        #expect(Facts.pairs("squeeze").count == 2)
    }
}
