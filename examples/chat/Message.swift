import Foundation
import Gale

/// This program's templates and static files.
let files = URL(filePath: #filePath).deletingLastPathComponent().path
let templates = DirectoryLoader(files + "/templates")

/// What somebody says, before it has its place among the others.
struct Remark: Codable, Sendable {
    let from: String
    let body: String
    /// ISO 8601, UTC.
    let time: String
    /// What its sender calls it, so that sending it twice says it once. Kept with the message and sent to everybody.
    let nonce: String

    /// A new one; nil when there is nothing to say, or too much.
    init?(_ body: String, from: String, nonce: String) {
        self.body = body.replacing("\r\n", with: "\n").trimmingCharacters(in: .whitespacesAndNewlines)
        self.from = from
        self.nonce = nonce
        time = Date.now.formatted(.iso8601)
        guard isSound else { return nil }
    }

    /// Whether it keeps the limits: what another process says is not taken on trust.
    var isSound: Bool {
        !body.isEmpty && body.utf16.count <= 4000 && nonce.utf8.count <= 64 && time.utf8.count <= 32
            && cleanName(from, limit: 32) == from
    }

    func isSame(as other: Remark) -> Bool { !nonce.isEmpty && nonce == other.nonce && from == other.from }
}

/// A remark in its place.
struct Message: Encodable, Comparable, Sendable {
    /// Opaque to clients, but rising, also over restarts.
    let id: String
    let room: String
    let remark: Remark
    /// message.html, rendered once for all browsers.
    let html: String

    private enum CodingKeys: CodingKey { case type, id, room, html }

    init(_ remark: Remark, id: String, in room: String) throws {
        (self.remark, self.id, self.room) = (remark, id, room)
        html = try templates.load("message.html").render(["message": Message.values(of: remark, id, for: nil)])
    }

    func encode(to encoder: any Encoder) throws {
        try remark.encode(to: encoder)
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode("message", forKey: .type)
        try fields.encode(id, forKey: .id)
        try fields.encode(room, forKey: .room)
        try fields.encode(html, forKey: .html)
    }

    /// Time and number of an id, so written that ids sort as text: by their length, then by their characters.
    static func id(_ milliseconds: Int, _ number: Int) -> String {
        let digits = String(number)
        return "\(milliseconds)-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    static func < (left: Message, right: Message) -> Bool {
        (left.id.utf8.count, left.id) < (right.id.utf8.count, right.id)
    }
    static func == (left: Message, right: Message) -> Bool { left.id == right.id }

    /// What templates see of it.
    func values(for reader: String?) -> TemplateValue { Message.values(of: remark, id, for: reader) }

    private static func values(of remark: Remark, _ id: String, for reader: String?) -> TemplateValue {
        [
            "id": .string(id), "from": .string(remark.from), "body": .string(remark.body), "time": .string(remark.time),
            "clock": .string(String(remark.time.dropFirst(11).prefix(5))), "mine": .bool(remark.from == reader),
        ]
    }
}

extension [Message] {
    /// Those after a cursor: after the message it names, or would come after. One beyond the last comes from a time that
    /// nobody here knows; then all.
    func after(_ cursor: String) -> [Message] {
        if let index = lastIndex(where: { $0.id == cursor }) { return Array(self[(index + 1)...]) }
        let later = filter { ($0.id.utf8.count, $0.id) > (cursor.utf8.count, cursor) }
        return later.isEmpty ? self : later
    }
}

/// A line of JSON.
func jsonText(_ value: some Encodable) -> String {
    guard let data = try? JSONEncoder().encode(value) else { return "{}" }
    return String(decoding: data, as: UTF8.self)
}
