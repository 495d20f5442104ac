internal import GaleCore

/// The folders that `staticURL` was asked about; the core keeps the versions of their files (STA-04, STA-05).
final class StaticVersions: Sendable {
    static let shared = StaticVersions()

    private let folders = Guarded<[String: FileTree]>([:])

    /// The version of the file, or nil when it has none: it can't be read, or it is large and just being looked at.
    func version(of path: String, below root: String) -> String? {
        if let folder = folders.withLock({ $0[root] }) { return folder.version(of: path) }
        guard let opened = try? FileTree(root: root) else { return nil }
        folders.withLock { $0[root] = opened }
        return opened.version(of: path)
    }
}

extension RequestHandler {
    /// The URL of a static file, with its version when `Settings.staticPath` has it: `/static/a.css?v=1f0c...` (WEB-34).
    ///
    /// The version of a file of more than 256 KiB is made beside the loop: until that is done its URL goes without.
    public final func staticURL(_ path: String) -> String {
        let encoded = PercentCoding.encode(path, slash: true)
        let url = settings.staticURLPrefix + encoded
        guard let root = settings.staticPath, let version = StaticVersions.shared.version(of: encoded, below: root)
        else { return url }
        return url + "?v=" + version
    }
}
