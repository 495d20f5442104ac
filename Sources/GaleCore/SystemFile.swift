internal import CGale

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Files by their descriptors.
enum SystemFile {
    // libuv's codes are the system's, negated.
    static let exists = -EEXIST
    static let otherFileSystem = -EXDEV

    /// So many bytes from `offset` on, fewer at the end.
    static func read(_ descriptor: Int32, _ count: Int, at offset: Int) throws(CoreError) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { room, used in
            guard let base = room.baseAddress else { return }
            while used < count {
                let got = pread(descriptor, base + used, count - used, off_t(offset + used))
                if got < 0 && errno == EINTR { continue }
                if got < 0 { failure = -errno }
                if got <= 0 { break }
                used += got
            }
        }
        try check(failure)
        return bytes
    }
}
