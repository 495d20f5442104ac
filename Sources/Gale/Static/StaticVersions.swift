internal import GaleCore

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// The versions of static files for `?v=`: a hash of what is in them, made again when a file changes (STA-04, STA-05).
final class StaticVersions: Sendable {
    static let shared = StaticVersions()

    private struct Version {
        var size: UInt64
        var modified: Date
        var hash: String
    }
    private let known = Guarded<[String: Version]>([:])

    /// The version of the file, or nil when it can't be read. A look at size and time for each call; the contents are
    /// read only after a change.
    func version(of path: String) -> String? {
        guard let facts = try? FileManager.default.attributesOfItem(atPath: path),
            let modified = facts[.modificationDate] as? Date, let size = facts[.size] as? UInt64
        else { return nil }
        let old = known.withLock { $0[path] }
        if let old, old.modified == modified, old.size == size { return old.hash }
        guard let contents = FileManager.default.contents(atPath: path) else { return nil }
        let hash = String(Hex.encode(SHA256.digest(contents)).prefix(32))
        known.withLock { $0[path] = Version(size: size, modified: modified, hash: hash) }
        return hash
    }
}

extension RequestHandler {
    /// The URL of a static file, with its version when `Settings.staticPath` has it: `/static/a.css?v=1f0c...` (WEB-34).
    public final func staticURL(_ path: String) -> String {
        let url = settings.staticURLPrefix + PercentCoding.encode(path, slash: true)
        guard let root = settings.staticPath, !path.split(separator: "/").contains(".."),
            let version = StaticVersions.shared.version(of: root + "/" + path)
        else { return url }
        return url + "?v=" + version
    }
}
