import Gale

extension RequestHandler {
    /// Says something in a room on behalf of this handler, which lends its templates.
    func say(_ body: String, in room: Room, from user: String, nonce: String) throws -> Message {
        try room.say(body, from: user, nonce: nonce, id: rooms.nextID) { message in
            try renderString("message.html", ["message": message.values(for: nil)])
        }
    }
}

/// `POST /a/message/new`, Tornado's path: from the page's script, or from its form where no script runs.
final class NewMessage: Page {
    override func post() async throws {
        let user = try await requireUser()
        let room = try rooms.room(form("room"))
        let nonce = try form("nonce") ?? ""
        guard let body = Message.clean(try form("body") ?? ""), Message.isNonce(nonce) else {
            throw HTTPError(400, "empty or too long")
        }
        let message = try say(body, in: room, from: user, nonce: nonce)
        if let next = try form("next") { return try redirect(within: next) }
        try write(json: message)
    }
}

/// `POST /a/message/updates`, Tornado's path: the long poll. Waiting costs a parked task and no thread; who leaves is forgotten.
final class Updates: Page {
    private struct Answer: Encodable {
        let messages: [Message]
        let people: [String]
        let cursor: String
    }

    override func post() async throws {
        let user = try await requireUser()
        let room = try rooms.room(form("room"))
        let cursor = try form("cursor") ?? ""
        let limit: Duration = try form("wait") == "0" ? .zero : .seconds(25)
        let (messages, people) = try await room.updates(after: cursor, for: user, within: limit)
        try write(json: Answer(messages: messages, people: people, cursor: messages.last?.id ?? cursor))
    }
}
