internal import CGale

/// Limits of forms, and where their files go. Nil: the core's default, which stands in `gale.h`.
///
/// Beyond `maxParts` and `maxFields` it is 400, beyond the others 413.
public struct FormSettings: Sendable {
    /// Fields and files of a multipart form; default 100 (HU-15).
    public var maxParts: Int?
    /// Fields of an urlencoded form that is received as it comes; default 1000.
    public var maxFields: Int?
    /// All fields of a form together, with their names, in bytes; default 1 MiB.
    public var maxFieldBytes: Int?
    /// One file, in bytes; default as much as the body may have.
    public var maxFileBytes: Int?
    /// Files of a form that is received as it comes, together, that stay in memory; the rest goes to disk; default
    /// 64 KiB (HU-18).
    public var memoryBytes: Int?
    /// Folder of the temporary files, which have no name there; default $TMPDIR or /tmp. `UploadedFile.save` names
    /// them and copies nothing, hence on the same file system.
    public var folder: String?

    /// All defaults.
    public init() {}

    /// Calls `body` with the core's form of it, which ends when that returns.
    func withCore<R>(_ body: (inout gale_form_handler_t) -> R) -> R {
        var handler = gale_form_handler()
        func set(_ field: WritableKeyPath<gale_form_handler_t, UInt32>, _ value: Int?) {
            // Not 0, which means the default.
            if let value { handler[keyPath: field] = UInt32(clamping: max(value, 1)) }
        }
        set(\.max_parts, maxParts)
        set(\.max_fields, maxFields)
        set(\.max_field_bytes, maxFieldBytes)
        set(\.memory_bytes, memoryBytes)
        if let maxFileBytes { handler.max_file_bytes = UInt64(clamping: max(maxFileBytes, 1)) }
        return (folder ?? "").withCString { folder in
            handler.folder = folder
            return body(&handler)
        }
    }
}
