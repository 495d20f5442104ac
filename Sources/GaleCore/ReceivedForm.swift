internal import CGale

/// The form of a request, complete or on its way. Loop thread; its parts are gone when the request has ended.
public final class ReceivedForm {
    // Exclusivity is unchecked here and below: one thread, and no access lasts longer than its line.
    /// Whether nothing more comes: it is complete, or `problem` says why not.
    @exclusivity(unchecked) public private(set) var isOver = false
    /// What is wrong with it: the status to answer with, and a sentence for the log.
    @exclusivity(unchecked) public private(set) var problem: (status: Int, sentence: String)?
    /// Fields and files in order of arrival, once it is complete.
    @exclusivity(unchecked) public private(set) var parts: [FormPart] = []
    private let settled = Wakeup()

    init() {}

    /// Waits until it is over. One waiter. False: the client has left, or the task was cancelled.
    public func wait() async -> Bool { isOver ? true : await settled.wait() }

    /// It cannot be read.
    func refuse(_ status: Int, _ sentence: String) {
        problem = (status, sentence)
        isOver = true
        settled.wake(true)
    }

    fileprivate func end(_ form: OpaquePointer, _ status: Int32) {
        if gale_form_status(form) != 0 {
            return refuse(Int(gale_form_status(form)), String(cString: gale_form_error(form)))
        }
        // The request has ended first: `close` comes next.
        if status != 0 { return }
        var next = gale_form_next(form, nil)
        while let pointer = next {
            guard let part = FormPart(pointer) else {
                parts = []
                return refuse(400, "a field that is no UTF-8")
            }
            parts.append(part)
            next = gale_form_next(form, pointer)
        }
        isOver = true
        settled.wake(true)
    }

    /// The request has ended, and the core takes back what it holds.
    func close() {
        for part in parts { part.pointer = nil }
        settled.wake(false)
    }
}

/// A field or a file of a form. Loop thread; after the request its text stays and its bytes are gone.
public final class FormPart {
    @exclusivity(unchecked) fileprivate var pointer: OpaquePointer?
    /// The name of the field.
    public let name: String
    /// As the sender says; nil: a field.
    public let filename: String?
    /// The Content-Type, as the sender says; "application/unknown" of a file without one.
    public let type: String?
    /// In bytes.
    public let size: Int
    /// The text of a field.
    public let value: String

    /// Nil when name or value is no UTF-8.
    fileprivate init?(_ pointer: OpaquePointer) {
        let filename = gale_part_filename(pointer)
        let type = gale_part_type(pointer)
        let isField = filename.len == 0
        guard let name = String(validating: gale_part_name(pointer).buffer, as: UTF8.self),
            let value = isField ? String(validating: gale_part_bytes(pointer).buffer, as: UTF8.self) : ""
        else { return nil }
        self.pointer = pointer
        self.name = name
        self.value = value
        self.filename = isField ? nil : String(decoding: filename.buffer, as: UTF8.self)
        self.type = type.ptr == nil ? nil : String(decoding: type.buffer, as: UTF8.self)
        size = Int(clamping: gale_part_size(pointer))
    }

    private func live() throws(CoreError) -> OpaquePointer {
        guard let pointer else { throw CoreError.gone }
        return pointer
    }

    /// Whether its bytes are on disk.
    public var isOnDisk: Bool {
        guard let pointer else { return false }
        return gale_part_bytes(pointer).ptr == nil
    }

    /// Bytes from `offset` on: so many, fewer at the end. What is on disk is read at once, on the loop.
    public func read(_ count: Int, at offset: Int) throws(CoreError) -> [UInt8] {
        let part = try live()
        let count = max(0, min(count, size - max(0, offset)))
        let offset = max(0, offset)
        if count == 0 { return [] }
        let memory = gale_part_bytes(part).buffer
        if memory.baseAddress != nil { return [UInt8](memory[offset..<(offset + count)]) }
        return try SystemFile.read(gale_part_fd(part), count, at: offset)
    }

    /// Stores it as a file that must not exist yet, with mode 0600. What is on disk gets a name and is not copied.
    public func save(to path: String) throws(CoreError) {
        let part = try live()
        try check(path.withCString { gale_part_save(part, $0) })
    }
}

extension Exchange {
    /// Reads the form of the request: a collected body at once and in memory; one that streams, within `received`,
    /// as it comes. The same again when called again. Nil: the body is no form's.
    public final func readForm(_ settings: FormSettings, streamed: Bool) throws(CoreError) -> ReceivedForm? {
        if let form { return form }
        let request = try live()
        let made = ReceivedForm()
        form = made
        let result = settings.withCore { handler in
            handler.leave_answer = 1
            if !streamed { handler.memory_bytes = .max }
            handler.on_end = { form, status, data in
                guard let data else { return }
                Worker.with(gale_req_worker(gale_form_req(form))) { worker in
                    worker.executor.enter()
                    Unmanaged<ReceivedForm>.fromOpaque(data).takeUnretainedValue().end(form, status)
                    worker.executor.leave()
                }
            }
            return gale_form_read(request, &handler, Unmanaged.passUnretained(made).toOpaque())
        }
        if result == 0 { return made }
        if result == 400 {
            made.refuse(400, "a form with Content-Encoding, or without a valid boundary")
            return made
        }
        form = nil
        try check(result)
        return nil
    }
}

/// File names that senders of forms choose.
public enum FileName {
    /// The name as one under which a file can be stored: no folders, no leading dots, nothing invisible, at most 255
    /// bytes, never empty (HU-17).
    public static func safe(_ name: String) -> String {
        var name = name
        return name.withUTF8 { name in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { room in
                guard let base = room.baseAddress, gale_safe_filename(gale_str_t(name), base, room.count) > 0 else {
                    return "file"
                }
                return String(cString: base)
            }
        }
    }
}
