/// A text as Redis has it: two are the same when their bytes are. Swift's own strings are also
/// when one is composed otherwise, as "\u{e9}" and "e\u{301}".
struct ByteString: Sendable, Hashable, Comparable {
    let bytes: [UInt8]

    init(_ text: String) { bytes = Array(text.utf8) }
    init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    /// What is no UTF-8 becomes U+FFFD.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    static func < (left: ByteString, right: ByteString) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
}
