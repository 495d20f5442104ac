import Foundation
import GaleTemplate
import Testing

/// What Tornado computes: `Fixtures/tornado-facts.json`, a part of the project's table of facts. The inputs come
/// mostly from tornado/test (Apache-2.0), the results from running Tornado.
enum Facts {
    struct Pair: CustomTestStringConvertible {
        let input: String
        let expected: String
        var testDescription: String { input }
    }

    struct LinkifyRow: CustomTestStringConvertible {
        let input: String
        let options: [String: TemplateValue]
        let expected: String
        var testDescription: String { "\(input) \(options)" }
    }

    /// A template with its files and what comes out.
    struct TemplateRow: CustomTestStringConvertible {
        enum Result {
            case text(String)
            case parseError(String)
            case error(String)
        }

        let name: String
        let files: [String: String]
        let main: String
        let values: [String: TemplateValue]
        let options: TemplateOptions
        let expected: Result
        var testDescription: String { "\(name) \(main)" }
    }

    nonisolated(unsafe) private static let all: [String: Any] = {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/tornado-facts.json")
        let json = (try? Data(contentsOf: url)).flatMap { try? JSONSerialization.jsonObject(with: $0) }
        return json as? [String: Any] ?? [:]
    }()

    static func pairs(_ key: String) -> [Pair] {
        (all[key] as? [[String]] ?? []).map { Pair(input: $0[0], expected: $0[1]) }
    }

    /// Rows whose input is any JSON value.
    static func values(_ key: String) -> [(TemplateValue, String)] {
        (all[key] as? [[Any]] ?? []).map { (value($0[0]), $0[1] as? String ?? "") }
    }

    static var linkify: [LinkifyRow] {
        (all["linkify"] as? [[Any]] ?? []).map {
            LinkifyRow(
                input: $0[0] as? String ?? "", options: ($0[1] as? [String: Any] ?? [:]).mapValues { value($0) },
                expected: $0[2] as? String ?? "")
        }
    }

    static var templates: [TemplateRow] {
        (all["templates"] as? [[String: Any]] ?? []).map { row in
            var options = TemplateOptions()
            let loader = row["loader"] as? [String: Any] ?? [:]
            if let autoescape = loader["autoescape"] { options.autoescape = autoescape as? String }
            options.whitespace = (loader["whitespace"] as? String).flatMap { WhitespaceMode(rawValue: $0) }
            return TemplateRow(
                name: row["name"] as? String ?? "", files: row["files"] as? [String: String] ?? [:],
                main: row["main"] as? String ?? "",
                values: (row["ctx"] as? [String: Any] ?? [:]).mapValues { value($0) }, options: options,
                expected: result(row["expect"]))
        }
    }

    private static func result(_ json: Any?) -> TemplateRow.Result {
        if let text = json as? String { return .text(text) }
        let error = json as? [String: String] ?? [:]
        if let message = error["parse_error"] { return .parseError(message) }
        return .error(error["error"] ?? "")
    }

    static func value(_ json: Any) -> TemplateValue {
        switch json {
        case let text as String: return .string(text)
        case let list as [Any]: return .list(TemplateList(list.map { value($0) }))
        case let map as [String: Any]: return .map(TemplateMap(map.mapValues { value($0) }))
        case let number as NSNumber:
            // JSON's true is an NSNumber too.
            if String(cString: number.objCType) == "c" { return .bool(number.boolValue) }
            return number.doubleValue == number.doubleValue.rounded()
                ? .int(number.intValue) : .double(number.doubleValue)
        default: return .none
        }
    }
}
