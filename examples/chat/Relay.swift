import Foundation
import Gale
import Synchronization

/// What brings together all who are in a room, in this process or in several: their names, and what they say, in one
/// order for all and with ids that rise.
protocol Relay: Sendable {
    /// Whether there may be other processes.
    var isShared: Bool { get }
    /// Whether they can be reached now: what is said here comes to them, and theirs to us.
    var isJoined: Bool { get }
    /// The rooms that other processes have.
    var rooms: [String] { get }
    /// What must run beside the server for it.
    var services: [any Service] { get }
    /// Has `body` called when `isJoined` has changed, on any thread.
    func onChange(_ body: @escaping @Sendable () -> Void)
    /// What it does for the room of this name.
    func line(of room: String) -> any Line
}

/// What a relay does for one room, for as long as the room holds it.
protocol Line: Sendable {
    /// From now on what is said goes to the room's `receive`, and who is elsewhere to its `meet`.
    func open(_ room: Room)
    /// Waits until what was said before has come, though only a moment.
    func catchUp() async throws
    /// Says something in the room, here and everywhere. Throws `CutOff` when that is not certain to have happened within
    /// the limit; saying it again, with the same nonce, then says it once.
    func say(_ remark: Remark, in room: Room, within limit: Duration) async throws -> Message
    /// Somebody is here, in this process.
    func enter(_ name: String)
    /// And is no more.
    func leave(_ name: String)
}

/// The other processes could not be reached in time.
struct CutOff: Error {}

/// All in this process: the order is that of arrival, and nobody is elsewhere.
struct LocalRelay: Relay {
    let isShared = false
    let isJoined = true
    let rooms: [String] = []
    let services: [any Service] = []
    func onChange(_ body: @escaping @Sendable () -> Void) {}
    func line(of room: String) -> any Line { LocalLine() }
}

private final class LocalLine: Line {
    /// Ids begin with the start of the process, so that those of a later run come after those of this one.
    private static let run = Int(Date.now.timeIntervalSince1970 * 1000)
    private let said = Mutex(0)

    func say(_ remark: Remark, in room: Room, within limit: Duration) async throws -> Message {
        try said.withLock { said in
            said += 1
            return room.receive(try Message(remark, id: Message.id(LocalLine.run, said), in: room.name))
        }
    }

    func open(_ room: Room) {}
    func catchUp() {}
    func enter(_ name: String) {}
    func leave(_ name: String) {}
}
