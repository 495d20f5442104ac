import Foundation
import Gale

/// `POST /a/message/new`, Tornado's path: from the page's script, or from its form where no script runs.
final class NewMessage: Page {
    override func post() async throws {
        let user = try await requireUser()
        let room = try await rooms.room(form("room"))
        let next = try form("next")
        // The form has no nonce until it has to be sent again.
        let given = try form("nonce") ?? ""
        let nonce = given.isEmpty ? UUID().uuidString : given
        guard let remark = Remark(try form("body") ?? "", from: user, nonce: nonce) else {
            throw HTTPError(400, "empty or too long")
        }
        do {
            let message = try await room.say(remark, within: .seconds(5))
            if let next { return try redirect(within: next) }
            try write(json: message)
        } catch is CutOff {
            guard let next else {
                try setStatus(202)
                return try write(json: ["waiting": true])
            }
            try setStatus(503)
            try setHeader("Retry-After", "10")
            try render(
                "unsent.html",
                [
                    "room": .string(room.name), "next": .string(SafeNext.check(next) ?? "/"), "nonce": .string(nonce),
                    "body": .string(remark.body),
                ])
        }
    }
}

/// `POST /a/message/updates`, Tornado's path: the long poll. Waiting costs a parked task and no thread; who leaves is forgotten.
final class Updates: Page {
    override func post() async throws {
        let user = try await requireUser()
        let room = try await rooms.room(form("room"))
        let limit: Duration = try form("wait") == "0" ? .zero : .seconds(25)
        let update = try await room.updates(
            after: form("cursor") ?? "", seen: form("news"), for: user, within: limit)
        try write(json: update)
    }
}
