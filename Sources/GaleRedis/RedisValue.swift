/// An answer of Redis. An error is no value: it is thrown, or within an array it is `.error`.
public enum RedisValue: Sendable, Equatable {
    /// There is no such thing.
    case null
    /// A number.
    case integer(Int)
    /// A string: any bytes.
    case bytes([UInt8])
    /// A short word, such as "OK".
    case status(String)
    /// Several, in order.
    case array([RedisValue])
    /// An error among the elements of an array.
    case error(String)

    /// The text of a string or status; what is no UTF-8 becomes U+FFFD. Nil for anything else.
    public var text: String? {
        switch self {
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case .status(let text): text
        default: nil
        }
    }

    /// The number, also one that is written in a string. Nil for anything else.
    public var integer: Int? {
        switch self {
        case .integer(let value): value
        case .bytes(let bytes): Int(String(decoding: bytes, as: UTF8.self))
        default: nil
        }
    }

    /// The elements. Nil for anything but an array.
    public var array: [RedisValue]? {
        if case .array(let elements) = self { return elements }
        return nil
    }
}
