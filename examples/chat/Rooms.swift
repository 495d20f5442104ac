import Foundation
import Gale
import Synchronization

/// The rooms of this process.
let rooms = Rooms(over: options.relay)

/// Rooms by name, made when somebody first enters.
final class Rooms: Sendable {
    /// Names this run of this process.
    let run = String(UInt64.random(in: .min ... .max), radix: 36)
    /// What connects them with those of other processes.
    let relay: any Relay
    private let rooms: Mutex<[String: Room]>
    private let stopping = Atomic(false)

    /// How many rooms there may be: names come from the network. Beyond it the one that has been empty longest goes.
    private static let limit = 1000

    init(over relay: any Relay) {
        self.relay = relay
        rooms = Mutex(["lobby": Room("lobby", over: relay)])
        relay.onChange { [weak self] in
            for room in self?.all ?? [] { room.tell() }
        }
    }

    private var all: [Room] { rooms.withLock { Array($0.values) } }

    /// The room of this name, with what has been said in it. Looking at one nobody has entered yet does not make it,
    /// unless it may be full elsewhere. Throws 400 for a name that is none, 503 when there are too many with people in
    /// them.
    func room(_ name: String?, entering: Bool = true) async throws -> Room {
        let given = (name ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
        guard let name = cleanName(given.isEmpty ? "lobby" : given, limit: 40) else {
            throw HTTPError(400, "not a room name")
        }
        let room = try find(name, entering: entering || relay.isShared)
        try await room.catchUp()
        return room
    }

    private func find(_ name: String, entering: Bool) throws -> Room {
        try rooms.withLock { rooms in
            if let room = rooms[name] { return room }
            if !entering { return Room(name, over: relay) }
            if rooms.count >= Rooms.limit {
                let empty = rooms.values.filter { $0.name != "lobby" && $0.isQuiet }
                guard let oldest = empty.min(by: { $0.lastActive < $1.lastActive }) else {
                    throw HTTPError(503, "too many rooms")
                }
                rooms[oldest.name] = nil
            }
            let room = Room(name, over: relay)
            rooms[name] = room
            return room
        }
    }

    /// The names of the liveliest rooms, and of the one that is looked at.
    func names(with current: Room) -> [String] {
        let liveliest = all.sorted { $0.lastActive > $1.lastActive }.prefix(50)
        return Set(liveliest.map(\.name)).union(relay.rooms.prefix(50)).union([current.name, "lobby"]).sorted()
    }

    /// Whether the server is about to stop: nobody shall wait any more.
    var isStopping: Bool { stopping.load(ordering: .sequentiallyConsistent) }

    /// The server is about to stop: answers all who wait.
    func stop() {
        stopping.store(true, ordering: .sequentiallyConsistent)
        for room in all { room.wakeAll() }
    }

    /// For as long as the process lives: those who no longer poll leave the list.
    func watchPeople() async {
        while (try? await Task.sleep(for: .seconds(2))) != nil {
            for room in all { room.forgetIdle() }
        }
    }
}

/// A name of a person or room: trimmed, of at most so many characters (code points: a grapheme may have any number), one
/// that shows at least, none that is hidden or turns the text around it; composed, as rooms of other processes are told
/// apart by their bytes.
func cleanName(_ text: String, limit: Int) -> String? {
    let given = text.trimmingCharacters(in: .whitespacesAndNewlines)
    let name = given.precomposedStringWithCanonicalMapping
    let joiners: Set<Unicode.Scalar> = ["\u{200C}", "\u{200D}"]  // emoji and scripts need them
    let unseen = name.unicodeScalars.contains {
        let category = $0.properties.generalCategory
        return [.control, .lineSeparator, .paragraphSeparator].contains(category)
            || category == .format && !joiners.contains($0)
    }
    // Not spaces, nor the empty pattern of Braille, nor what Unicode lets be ignored.
    let shows = name.unicodeScalars.contains {
        !$0.properties.isWhitespace && !$0.properties.isDefaultIgnorableCodePoint && $0 != "\u{2800}"
    }
    let count = max(given.unicodeScalars.count, name.unicodeScalars.count)
    return count > limit || unseen || !shows ? nil : name
}
