internal import GaleCore

/// A file that came with a form (HU-14).
///
/// Not Sendable: it lives in the task of its request, on one loop. A temporary file behind it goes with the request,
/// unless `save` has named it.
public struct UploadedFile {
    private let part: FormPart

    init(_ part: FormPart) { self.part = part }

    /// The name of the form's field.
    public var name: String { part.name }
    /// The name that the sender gave the file: it may be a path, or anything.
    public var filename: String { part.filename ?? "" }
    /// The same as a name that a file can be stored under: without folders, leading dots and hidden characters, and
    /// never empty. It is not unique (HU-17).
    public var safeFilename: String { FileName.safe(filename) }
    /// The type that the sender says it has; "application/unknown" when it says none.
    public var contentType: String { part.type ?? "application/unknown" }
    /// In bytes.
    public var size: Int { part.size }
    /// Whether it is in a temporary file rather than in memory.
    public var isOnDisk: Bool { part.isOnDisk }

    /// All its bytes. Of a large file rather read pieces. Throws `UploadError`.
    public func bytes() throws(UploadError) -> [UInt8] { try read(size) }

    /// Bytes from `offset` on: so many, fewer at the end. What is on disk is read at once. Throws `UploadError`.
    public func read(_ count: Int, at offset: Int = 0) throws(UploadError) -> [UInt8] {
        do throws(CoreError) { return try part.read(count, at: offset) } catch { throw UploadError(error) }
    }

    /// Stores it under a path that must not exist yet, for the owner alone to read. What is on disk is not copied:
    /// the path must be on the file system of `Settings.forms.folder`. Throws `UploadError`.
    public func save(to path: String) throws(UploadError) {
        do throws(CoreError) { try part.save(to: path) } catch { throw UploadError(error) }
    }
}

/// Why an uploaded file could not be read or stored.
public enum UploadError: Error, Sendable, Equatable {
    /// There is a file of that name.
    case exists
    /// The path is on another file system than `Settings.forms.folder`.
    case otherFileSystem
    /// The request is over, and the file with it.
    case gone
    /// What the system says.
    case failed(String)

    init(_ error: CoreError) {
        switch error {
        case .exists: self = .exists
        case .otherFileSystem: self = .otherFileSystem
        case .gone: self = .gone
        default: self = .failed(error.description)
        }
    }
}

extension Call {
    /// Whether the form comes between `prepare` and the method's function.
    var awaitsForm: Bool { extrasIfAny?.awaitsForm ?? false }

    /// The Content-Type of the body in small letters, without parameters.
    var bodyType: String {
        header("Content-Type").map { type in
            Substring(type.utf8.prefix { $0 != UInt8(ascii: ";") }).lowercased().trimmingBlanks
        } ?? ""
    }

    /// Within `received`: has the form read as it comes, from `receiveForm` on. False: the body is no form.
    func awaitForm() throws(CoreError) -> Bool {
        guard try readForm(application.settings.forms, streamed: true) != nil else { return false }
        extras.awaitsForm = true
        pauseBody()
        return true
    }

    /// Lets the form come. Throws what is wrong with it, or that the client has left.
    func receiveForm() async throws {
        guard let form else { throw ResponseError.clientGone }
        resumeBody()
        let isThere = await form.wait()
        try Task.checkCancellation()
        if !isThere { throw ResponseError.clientGone }
        _ = try parts()
    }

    /// The parts of a multipart form, and of any that was received as it came; nil: the body is something else. Throws
    /// the one error that the form has (HU-16).
    func parts() throws -> [FormPart]? {
        if form == nil && bodyType != "multipart/form-data" { return nil }
        let read: ReceivedForm?
        do throws(CoreError) {
            read = try readForm(application.settings.forms, streamed: false)
        } catch {
            throw refused(error)
        }
        guard let read else { return nil }
        if let problem = read.problem { throw HTTPError(problem.status, problem.sentence) }
        if !read.isOver { throw HTTPError(500, "the form is received after prepare") }
        return read.parts
    }

    /// The files of the form, in order of arrival.
    func files() throws -> [UploadedFile] {
        try parts()?.filter { $0.filename != nil }.map { UploadedFile($0) } ?? []
    }
}

extension Request {
    /// The files of a multipart form, in order of arrival. Throws 400 when it is malformed (HU-14).
    public func files() throws -> [UploadedFile] { try call?.files() ?? [] }

    /// The last file of this name of a field. Throws 400 when the form is malformed.
    public func file(_ name: String) throws -> UploadedFile? { try files().last { $0.name == name } }
}

extension RequestHandler {
    /// The files of a multipart form, in order of arrival. Throws 400 when it is malformed (HU-14).
    public final func files() throws -> [UploadedFile] { try call?.files() ?? [] }

    /// The last file of this name of a field. Throws 400 when the form is malformed.
    public final func file(_ name: String) throws -> UploadedFile? { try files().last { $0.name == name } }
}
