import Foundation
import Gale

/// What all pages of the chat share: who is asking, and a browser that runs nothing but our own files.
class Page: RequestHandler {
    override func prepare() async throws {
        try setHeader(
            "Content-Security-Policy",
            "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'")
        try setHeader("X-Content-Type-Options", "nosniff")
        try setHeader("Referrer-Policy", "same-origin")
        try setHeader("Cache-Control", "no-store")
    }

    override func loadCurrentUser() async throws -> String? { signedCookie("user") }

    /// A redirect that stays on this site, whatever a form says (DEC-04).
    func redirect(within target: String?) throws {
        let local = target.flatMap { SafeNext.check($0) }
        try redirect(local ?? "/", status: 303)
    }
}

/// `/`: the room, complete without JavaScript.
final class RoomPage: Page {
    override func get() async throws {
        let user = try await requireUser()
        let room = try await rooms.room(query("room"), entering: false)
        let messages = room.messages(after: "")
        try render(
            "room.html",
            [
                "room": .string(room.name), "rooms": .strings(rooms.names(with: room)), "name": .string(user),
                "messages": .list(.init(messages.sorted().map { $0.values(for: user) })),
                "people": .strings(room.people), "cursor": .string(messages.last?.id ?? ""),
                "joined": .bool(rooms.relay.isJoined),
            ])
    }
}

/// `/login`: a name, and no password.
final class LoginPage: Page {
    override func get() async throws { try show(error: nil, next: query("next")) }

    override func post() async throws {
        guard let name = cleanName(try form("name") ?? "", limit: 32) else {
            try setStatus(400)
            return try show(error: "A name has 1 to 32 characters, and not only invisible ones.", next: form("next"))
        }
        try setSignedCookie("user", name)
        try redirect(within: form("next"))
    }

    private func show(error: String?, next: String?) throws {
        try render("login.html", ["error": error.map { .string($0) } ?? .none, "next": .string(next ?? "/")])
    }
}

/// `/logout`.
final class Logout: Page {
    override func post() async throws {
        try clearCookie("user")
        try redirect("/login", status: 303)
    }
}
