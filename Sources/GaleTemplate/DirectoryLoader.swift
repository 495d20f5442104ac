#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Loads templates from a directory and those below it (TPL-20), and from nowhere else (TPL-17): names that lead
/// out of it are refused, and so are symbolic links that do.
public final class DirectoryLoader: TemplateLoader {
    /// How the templates are compiled.
    public let options: TemplateOptions
    /// What was compiled so far.
    public let cache = TemplateCache()
    /// The directory.
    public let root: String

    private static let maximumSize = 16 << 20

    /// A loader for a directory. A directory that doesn't exist makes every `load` fail, not this.
    public init(_ root: String, options: TemplateOptions = TemplateOptions()) {
        self.root = root
        self.options = options
    }

    /// The text of a file. Throws `TemplateError` of kind `.notFound` when there is no such file below the root,
    /// it can't be read, is longer than 16 MiB or isn't UTF-8.
    public func source(of name: String) throws -> String {
        // Names given to this call directly have not been through `resolve` yet.
        let path = try TemplatePath.resolve(name, from: nil)
        guard let rootPath = Self.realPath(root), let filePath = Self.realPath("\(root)/\(path)") else {
            throw TemplateError(.notFound, "no template named '\(name)'")
        }
        guard filePath.hasPrefix(rootPath.hasSuffix("/") ? rootPath : rootPath + "/") else {
            throw TemplateError(.notFound, "template path '\(name)' leaves the root")
        }
        let bytes = try Self.contents(filePath, name: name)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw TemplateError(.notFound, "template '\(name)' is not UTF-8")
        }
        return text
    }

    /// The path without links and dots; nil when it leads nowhere.
    private static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func contents(_ path: String, name: String) throws -> [UInt8] {
        // Not blocking, lest a named pipe in the directory hang the server.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw TemplateError(.notFound, "template '\(name)' can't be opened") }
        defer { close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
            throw TemplateError(.notFound, "template '\(name)' is no file")
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw TemplateError(.notFound, "template '\(name)' can't be read") }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= maximumSize else { throw TemplateError(.notFound, "template '\(name)' is too long") }
        }
    }
}
