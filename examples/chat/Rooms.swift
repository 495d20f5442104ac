import Foundation
import Gale
import Synchronization

/// The rooms of this process.
let rooms = Rooms()

/// Rooms by name, made when somebody first enters.
final class Rooms: Sendable {
    /// Ids begin with the start of the process, so that those of a later run come after those of this one.
    private let run = String(Int(Date.now.timeIntervalSince1970 * 1000))
    private let said = Atomic(0)
    private let rooms = Mutex(["lobby": Room("lobby")])
    private let stopping = Atomic(false)

    /// How many rooms there may be: names come from the network. Beyond it the one that has been empty longest goes.
    private static let limit = 1000

    /// The room of this name. Looking at one nobody has entered yet does not make it. Throws 400 for a name that is none,
    /// 503 when there are too many with people in them.
    func room(_ name: String?, entering: Bool = true) throws -> Room {
        let given = (name ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
        guard let name = cleanName(given.isEmpty ? "lobby" : given, limit: 40) else {
            throw HTTPError(400, "not a room name")
        }
        return try rooms.withLock { rooms in
            if let room = rooms[name] { return room }
            if !entering { return Room(name) }
            if rooms.count >= Rooms.limit {
                let empty = rooms.values.filter { $0.name != "lobby" && $0.isQuiet }
                guard let oldest = empty.min(by: { $0.lastActive < $1.lastActive }) else {
                    throw HTTPError(503, "too many rooms")
                }
                rooms[oldest.name] = nil
            }
            let room = Room(name)
            rooms[name] = room
            return room
        }
    }

    /// The names of the liveliest rooms, and of the one that is looked at.
    func names(with current: Room) -> [String] {
        let all = rooms.withLock { Array($0.values) }
        let liveliest = all.count <= 50 ? all : Array(all.sorted { $0.lastActive > $1.lastActive }.prefix(50))
        return Set(liveliest.map(\.name)).union([current.name, "lobby"]).sorted()
    }

    /// The id of the next message.
    func nextID() -> String {
        let digits = String(said.add(1, ordering: .relaxed).newValue)
        return run + "-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    /// Whether the server is about to stop: nobody shall wait any more.
    var isStopping: Bool { stopping.load(ordering: .sequentiallyConsistent) }

    /// The server is about to stop: answers all who wait.
    func stop() {
        stopping.store(true, ordering: .sequentiallyConsistent)
        for room in rooms.withLock({ Array($0.values) }) { room.wakeAll() }
    }

    /// For as long as the process lives: those who no longer poll leave the list.
    func watchPeople() async {
        while (try? await Task.sleep(for: .seconds(2))) != nil {
            for room in rooms.withLock({ Array($0.values) }) { room.forgetIdle() }
        }
    }
}

/// A name of a person or room: trimmed, of at most so many characters and bytes to match, without characters that are
/// not seen or that turn the text around them.
func cleanName(_ text: String, limit: Int) -> String? {
    let name = text.trimmingCharacters(in: .whitespacesAndNewlines)
    let joiners: Set<Unicode.Scalar> = ["\u{200C}", "\u{200D}"]  // emoji and scripts need them
    let unseen = name.unicodeScalars.contains {
        let category = $0.properties.generalCategory
        return category == .control || category == .format && !joiners.contains($0)
    }
    return name.isEmpty || name.count > limit || name.utf8.count > limit * 4 || unseen ? nil : name
}
