internal import CGale

/// What a call into the C core refused, or why a request or socket ended.
///
/// A value of any thread. The codes are those of `gale.h`: libuv's and `GALE_E*`.
public struct CoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The negative code of `gale.h`.
    public let code: Int32
    /// One sentence: the core's own when it gave one, else the text of the code.
    public let description: String

    init(_ code: Int32) {
        self.code = code
        description = String(cString: gale_strerror(code))
    }

    init(_ code: Int32, sentence: String) {
        self.code = code
        description = sentence.isEmpty ? String(cString: gale_strerror(code)) : sentence
    }

    /// The text of a code of `gale.h` or libuv.
    public static func text(of code: Int32) -> String { String(cString: gale_strerror(code)) }

    public static func == (left: CoreError, right: CoreError) -> Bool { left.code == right.code }

    /// The client has left, or the request or socket is over.
    public static let gone = CoreError(Int32(GALE_EGONE))
    /// Calls in the wrong order, such as a second response.
    public static let state = CoreError(Int32(GALE_ESTATE))
    /// A configured limit was reached.
    public static let limit = CoreError(Int32(GALE_ELIMIT))
    /// An invalid status, field name or field value.
    public static let header = CoreError(Int32(GALE_EHEADER))
    /// There is a file of that name.
    public static let exists = CoreError(SystemFile.exists)
    /// Another file system.
    public static let otherFileSystem = CoreError(SystemFile.otherFileSystem)
    /// Not a valid WebSocket handshake. As a server: it has been answered. As a client: the server's answer.
    public static let handshake = CoreError(Int32(GALE_EHANDSHAKE))
}

/// Throws what a negative result of the core means.
@discardableResult
func check(_ result: Int32) throws(CoreError) -> Int32 {
    if result < 0 { throw CoreError(result) }
    return result
}

/// How a request ended, as `on_done` tells it.
public enum Outcome: Sendable, Equatable {
    /// The whole response was handed to the system.
    case finished
    /// The connection became a WebSocket.
    case upgraded
    /// Not answered in full: the client left, a timeout, a limit, or the server stopped.
    case failed(CoreError)

    init(status: Int32) {
        switch status {
        case 0: self = .finished
        case Int32(GALE_EUPGRADED): self = .upgraded
        default: self = .failed(CoreError(status))
        }
    }
}
