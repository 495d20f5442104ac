import GaleTemplate
import Testing

/// Renders a template without other files.
func rendered(
    _ source: String, _ values: [String: any TemplateConvertible] = [:], name: String = "t.txt",
    options: TemplateOptions = TemplateOptions(), environment: TemplateEnvironment = TemplateEnvironment()
) throws -> String {
    try Template(source, name: name, options: options).render(values, environment: environment)
}

/// The text of the error that compiling or rendering gives; nil when there is none.
func failure(
    _ source: String, _ values: [String: any TemplateConvertible] = [:], options: TemplateOptions = TemplateOptions(),
    environment: TemplateEnvironment = TemplateEnvironment()
) -> String? {
    do {
        _ = try rendered(source, values, options: options, environment: environment)
        return nil
    } catch {
        return String(describing: error)
    }
}

/// The error of a template among others.
func failure(loading name: String, from files: [String: String]) -> TemplateError? {
    do {
        _ = try DictionaryLoader(files).load(name).render()
        return nil
    } catch {
        return error as? TemplateError
    }
}

@Suite("Template: Tornado's own table")
struct TemplateFactTests {
    /// Rows that Gale answers otherwise, on purpose.
    static let differences: [String: Facts.TemplateRow.Result] = [
        // TPL-01: none prints as nothing.
        "syntax '{{ None }}'": .text(""),
        // TPL-16: Tornado raises a bare Exception; Gale's error names the line.
        "syntax '{% whitespace foo %}'": .parseError("invalid whitespace mode foo at t.txt:1"),
        // TPL-08: Python's exception text; Gale's names the line.
        "set outside block in child ignored": .error("name 'q' is not defined at b:1 (via a:1)"),
    ]

    @Test("TPL-01..18: every row of the facts", arguments: Facts.templates)
    func row(_ row: Facts.TemplateRow) throws {
        let loader = DictionaryLoader(row.files, options: row.options)
        func render() throws -> String { try loader.load(row.main).render(row.values) }
        switch Self.differences[row.name] ?? row.expected {
        case .text(let text): #expect(try render() == text)
        case .parseError(let message):
            let error = #expect(throws: TemplateError.self) { try loader.load(row.main) }
            #expect(error?.description == message)
            #expect(error?.kind == .syntax)
        case .error(let message):
            let error = #expect(throws: TemplateError.self) { try render() }
            #expect(error?.description == message)
        }
    }

    @Test("the fixture was read whole, and the differences are about rows that exist")
    func complete() {
        #expect(Facts.templates.count == 67)
        let names = Set(Facts.templates.map(\.name))
        for name in Self.differences.keys { #expect(names.contains(name)) }
    }
}
