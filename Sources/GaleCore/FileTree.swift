internal import CGale

/// What is served of a folder, and how.
public struct FileSettings: Sendable {
    /// Which symbolic links are followed; others are answered with 403 (STA-11).
    public enum Symlinks: Sendable {
        /// Those that lead nowhere outside of the folder.
        case inside
        /// Any.
        case all
        /// None.
        case none
    }

    /// The name of the file that stands for its folder; nil: none does (STA-01, STA-13).
    public var index: String? = "index.html"
    /// Cache-Control of what is asked for without its version; nil: not sent.
    public var cacheControl: String?
    /// How long a cache may keep what is asked for by its version (STA-04); default a year.
    public var versionMaxAge: Duration?
    /// Whether names that begin with a dot are served.
    public var servesDotFiles = false
    /// Which symbolic links are followed.
    public var symlinks = Symlinks.inside
    /// Whether `name.br`, `name.zst` or `name.gz` is sent in place of `name` to who prefers it.
    public var sendsPrecompressed = true

    /// All defaults.
    public init() {}

    /// Calls `body` with the core's form of it, which ends when that returns.
    func withCore<R>(_ body: (inout gale_files_config_t) -> R) -> R {
        var config = gale_files_config()
        if let versionMaxAge { config.version_max_age = UInt32(clamping: versionMaxAge.wholeMilliseconds / 1000) }
        config.dotfiles = servesDotFiles ? 1 : 0
        config.no_precompressed = sendsPrecompressed ? 0 : 1
        switch symlinks {
        case .inside: config.symlinks = UInt32(GALE_SYMLINKS_INSIDE)
        case .all: config.symlinks = UInt32(GALE_SYMLINKS_ALL)
        case .none: config.symlinks = UInt32(GALE_SYMLINKS_NONE)
        }
        return (index ?? "").withCString { index in
            config.index = index
            guard let cacheControl else { return body(&config) }
            return cacheControl.withCString { text in
                config.cache_control = text
                return body(&config)
            }
        }
    }
}

/// A folder whose files are served. Any thread.
public final class FileTree: @unchecked Sendable {
    // @unchecked: the C object may be used on any worker (gale.h); the pointer never changes.
    let pointer: OpaquePointer

    /// Opens the folder. Throws `CoreError` when there is none or it cannot be read.
    public init(root: String, settings: FileSettings = FileSettings()) throws(CoreError) {
        var opened: OpaquePointer?
        let result = settings.withCore { gale_files_open_with(&opened, root, &$0) }
        guard result >= 0, let opened else {
            let cause = String(cString: gale_strerror(result))
            throw CoreError(result, sentence: "cannot serve the folder \(root): \(cause)")
        }
        pointer = opened
    }

    deinit { gale_files_free(pointer) }

    /// The version of the file at `path`, percent-encoded and relative to the folder: 32 hex digits that change when
    /// the file does. Nil when it can't be read; on a loop also while a large one is being looked at (STA-05).
    public func version(of path: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 33) { out -> String? in
            guard let first = out.baseAddress else { return nil }
            var path = path
            let result = path.withUTF8 { gale_files_version(pointer, gale_str_t($0), first) }
            return result >= 0 ? String(cString: first) : nil
        }
    }
}
