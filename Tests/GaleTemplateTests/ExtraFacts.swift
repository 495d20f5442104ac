import Foundation
import GaleTemplate
import Testing

/// Further inputs of our own with what Tornado computes for them: `Fixtures/tornado-extra.json`.
enum ExtraFacts {
    nonisolated(unsafe) private static let all: [String: Any] = {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/tornado-extra.json")
        let json = (try? Data(contentsOf: url)).flatMap { try? JSONSerialization.jsonObject(with: $0) }
        return json as? [String: Any] ?? [:]
    }()

    static var context: [String: TemplateValue] {
        (all["context"] as? [String: Any] ?? [:]).mapValues { Facts.value($0) }
    }

    static func pairs(_ key: String) -> [Facts.Pair] {
        (all[key] as? [[String]] ?? []).map { Facts.Pair(input: $0[0], expected: $0[1]) }
    }

    static var linkify: [Facts.LinkifyRow] {
        (all["linkify"] as? [[Any]] ?? []).map {
            Facts.LinkifyRow(
                input: $0[0] as? String ?? "", options: ($0[1] as? [String: Any] ?? [:]).mapValues { Facts.value($0) },
                expected: $0[2] as? String ?? "")
        }
    }
}

@Suite("Template: what Tornado computes for inputs of our own")
struct ExtraFactTests {
    /// Rows that Gale answers otherwise, on purpose.
    static let differences: [String: String] = [
        // Templates have lists where Python has tuples too.
        "{% raw list(m.items())[0] %}": "['a', 1]"
    ]

    @Test("TPL-01..16, TPL-21, TPL-23: renders", arguments: ExtraFacts.pairs("render"))
    func render(_ row: Facts.Pair) throws {
        #expect(try rendered(row.input, ExtraFacts.context) == Self.differences[row.input] ?? row.expected)
    }

    @Test("TPL-18: parse errors, text and line", arguments: ExtraFacts.pairs("parse_error"))
    func parseError(_ row: Facts.Pair) { #expect(failure(row.input) == row.expected) }

    @Test("the fixture was read, and the differences are about rows that exist")
    func complete() {
        #expect(ExtraFacts.pairs("render").count == 211)
        #expect(ExtraFacts.pairs("parse_error").count == 29)
        #expect(ExtraFacts.linkify.count == 42)
        let inputs = Set(ExtraFacts.pairs("render").map(\.input))
        for input in Self.differences.keys { #expect(inputs.contains(input)) }
    }
}
