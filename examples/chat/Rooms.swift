import Foundation
import Gale
import Synchronization

/// The rooms of this process.
let rooms = Rooms()

/// Rooms by name, made when somebody first enters.
final class Rooms: Sendable {
    /// Ids begin with the start of the process, so that those of a later run come after those of this one.
    private let run = String(Int(Date.now.timeIntervalSince1970 * 1000))
    private let rooms = Mutex(["lobby": Room("lobby")])
    private let stopping = Atomic(false)

    /// How many rooms there may be: names come from the network.
    private static let limit = 1000

    /// The room of this name, made when nobody was there before. Throws 400 for a name that is none, 503 when there are too
    /// many.
    func room(_ name: String?) throws -> Room {
        let name = (name ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
        if name.isEmpty { return try room("lobby") }
        guard name.count <= 40, !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { throw HTTPError(400, "not a room name") }
        return try rooms.withLock { rooms in
            if let room = rooms[name] { return room }
            guard rooms.count < Rooms.limit else { throw HTTPError(503, "too many rooms") }
            let room = Room(name)
            rooms[name] = room
            return room
        }
    }

    /// Their names.
    var names: [String] { rooms.withLock { $0.keys.sorted() } }

    /// The id of the seq-th message of a room.
    func id(_ seq: Int) -> String {
        let digits = String(seq)
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
