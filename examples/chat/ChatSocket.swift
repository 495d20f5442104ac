import Foundation
import Gale

/// `/chatsocket`, Tornado's path: messages both ways.
final class ChatSocket: WebSocketHandler {
    private var user = ""
    private var room: Room?
    private var hasJoined = false
    private var isCutOff = false

    private struct Said: Decodable {
        let body: String
        let nonce: String
    }
    private struct Refusal: Encodable {
        let type = "error"
        let nonce: String
        let reason: String
    }

    override func loadCurrentUser() async throws -> String? { signedCookie("user") }

    override func prepare() async throws {
        guard let user = try await currentUser() else { throw HTTPError(403) }
        self.user = user
        room = try await rooms.room(query("room"))
    }

    override func open() async throws {
        let cursor = try query("cursor") ?? ""
        hasJoined = true
        try room?.join(self, as: user, after: cursor)
    }

    override func message(_ text: String) async throws {
        if isCutOff { return }
        guard let room, let said = try? JSONDecoder().decode(Said.self, from: Data(text.utf8)) else {
            return try close(code: 1007, reason: "want {body, nonce}")
        }
        guard let remark = Remark(said.body, from: user, nonce: said.nonce) else {
            return try await send(json: Refusal(nonce: said.nonce, reason: "This message is empty or too long."))
        }
        do {
            // The next one waits, so that they stay in order. One that was said before, on a connection that broke, has
            // reached its sender with the backlog of this one.
            _ = try await room.say(remark, within: .seconds(30))
        } catch is CutOff {
            // Nothing after it may overtake it: the browser comes back and sends again what it has no echo of.
            isCutOff = true
            try close(code: 1013, reason: "cut off from the others")
        }
    }

    override func onClose() async {
        if hasJoined { room?.leave(as: user) }
    }
}
