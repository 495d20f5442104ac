import Foundation
import Gale

/// What somebody said.
struct Message: Encodable, Sendable {
    let type = "message"
    /// Opaque to clients, but rising, also over restarts: the start of the process, then a number.
    let id: String
    /// Counts the messages of a room.
    let seq: Int
    let room: String
    let from: String
    let body: String
    /// ISO 8601, UTC.
    let time: String
    /// message.html, rendered once for all browsers.
    var html = ""
    /// What its sender called it, so that sending it twice says it once.
    let nonce: String

    /// What templates see of it.
    func values(for reader: String?) -> TemplateValue {
        [
            "id": .string(id), "seq": .int(seq), "from": .string(from), "body": .string(body), "time": .string(time),
            "clock": .string(String(time.dropFirst(11).prefix(5))), "mine": .bool(from == reader),
        ]
    }

    /// Nonces are kept with the message and sent to everybody, so they are short.
    static func isNonce(_ nonce: String) -> Bool { nonce.utf8.count <= 64 }

    /// The text of a new message as it is kept, or nil when there is nothing to say or too much.
    static func clean(_ body: String) -> String? {
        let text = body.replacing("\r\n", with: "\n").trimmingCharacters(in: .whitespacesAndNewlines)
        return text.isEmpty || text.utf16.count > 4000 ? nil : text
    }
}

/// A line of JSON.
func jsonText(_ value: some Encodable) -> String {
    guard let data = try? JSONEncoder().encode(value) else { return "{}" }
    return String(decoding: data, as: UTF8.self)
}
