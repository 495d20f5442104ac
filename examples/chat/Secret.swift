import Foundation
import Gale

/// The secret that signs log-in cookies. It outlives the process, so that a restart logs nobody out.
enum Secret {
    /// `GALE_CHAT_SECRET`, else a file of the user's that is made at the first start, else one for this run alone.
    static func load() -> CookieSecret {
        if let given = ProcessInfo.processInfo.environment["GALE_CHAT_SECRET"], !given.isEmpty {
            return CookieSecret(given.count >= 32 ? given : String(repeating: given + "/", count: 32))
        }
        let environment = ProcessInfo.processInfo.environment
        let home = environment["HOME"] ?? NSTemporaryDirectory()
        let folder = (environment["XDG_STATE_HOME"] ?? home + "/.local/state") + "/gale"
        let file = folder + "/chat-secret"
        if let kept = try? String(contentsOfFile: file, encoding: .utf8), kept.utf8.count >= 32 {
            return CookieSecret(kept)
        }
        let fresh = (0..<4).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }.joined(separator: "-")
        try? FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        _ = FileManager.default.createFile(
            atPath: file, contents: Data(fresh.utf8), attributes: [.posixPermissions: 0o600])
        return CookieSecret(fresh)
    }
}
