public import GaleCore

/// A folder whose files are served below a prefix: GET and HEAD, conditional requests, ranges, precompressed siblings,
/// an index file for folders (STA-01, STA-06, STA-07, STA-10).
///
/// Paths that lead out of the folder are answered with 403, other methods with 405. Give it to `Application` beside
/// the routes.
public struct StaticFiles: Sendable {
    let routes: [Route]

    /// The files of the folder `root` below `prefix`, such as "/static/". A folder that isn't there is reported when
    /// the application starts. What `fields` gives for a request goes with its answer, in place of fields of the same
    /// names; it may throw to refuse (STA-15).
    public init(
        _ prefix: String, root: String, settings: FileSettings = FileSettings(),
        fields: (@Sendable (Request) throws -> [(String, String)])? = nil
    ) {
        let path = prefix.hasSuffix("/") ? prefix : prefix + "/"
        let opened = Result { () throws(CoreError) in try FileTree(root: root, settings: settings) }
        var route = Route(
            path: path + "{file...}", method: nil, name: nil,
            endpoint: .sync { request in
                let call = try request.liveCall
                for (name, value) in try fields?(request) ?? [] { try call.setHeader(name, value) }
                try call.serve(try opened.get())
            })
        if case .failure(let error) = opened { route.mistake = error.description }
        routes = [route]
    }
}

extension Call {
    /// Serves the file that the route captured.
    func serve(_ files: FileTree) throws {
        guard let range = captures.first else { throw HTTPError(404) }
        isFinished = true
        isSent = true
        let path = withPath { path in
            var bytes: [UInt8] = []
            bytes.reserveCapacity(range.count)
            for index in range { bytes.append(path[index]) }
            return bytes
        }
        guard let refusal = try serve(path.span, from: files, fields: fields) else { return }
        isFinished = false
        isSent = false
        throw HTTPError(refusal, headers: refusal == 405 ? [("Allow", "GET, HEAD")] : [])
    }
}
