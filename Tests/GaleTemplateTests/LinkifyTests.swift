import GaleTemplate
import Testing

@Suite("Linkify")
struct LinkifyTests {
    @Test("ESC-06: every row of the facts", arguments: Facts.linkify + ExtraFacts.linkify)
    func row(_ row: Facts.LinkifyRow) {
        var options = LinkifyOptions()
        options.shorten = row.options["shorten"]?.isTrue ?? false
        options.requireProtocol = row.options["require_protocol"]?.isTrue ?? false
        options.extraParameters = row.options["extra_params"]?.text ?? ""
        if case .list(let protocols)? = row.options["permitted_protocols"] {
            options.permittedProtocols = protocols.elements.compactMap(\.text)
        }
        #expect(Escape.linkify(row.input, options) == row.expected)
    }

    @Test("the fixture was read")
    func complete() { #expect(Facts.linkify.count == 25) }
}
