import Foundation
import Gale
import Synchronization

/// One room: its last messages, who listens, who is here.
///
/// Everything that must agree changes under one lock: a socket that joins gets what it has missed and then, without a gap
/// and without a double, what is said from then on. Publishing never waits, so the lock is never held long.
final class Room: Sendable {
    let name: String
    private let news = Condition()
    private let topic: Topic
    private let state = Mutex(State())

    private struct State {
        var messages: [Message] = []
        var said = 0
        var connected: [String: Int] = [:]
        var polling: [String: ContinuousClock.Instant] = [:]
        var shown: [String] = []
        var lastActive = ContinuousClock.now
    }
    private struct People: Encodable {
        let type = "people"
        let people: [String]
    }

    init(_ name: String) {
        self.name = name
        topic = Topic(name)
    }

    /// Adds a message and sends it to everybody here; the same nonce again gives the message it was. `id` numbers it,
    /// `render` makes its HTML.
    func say(
        _ body: String, from: String, nonce: String, id: () -> String, render: (Message) throws -> String
    ) throws -> Message {
        try state.withLock { state in
            let said = state.messages.last { !nonce.isEmpty && $0.nonce == nonce && $0.from == from }
            if let said { return said }
            let seq = state.said + 1
            let time = Date.now.formatted(.iso8601)
            var message = Message(
                id: id(), seq: seq, room: name, from: from, body: body, time: time, nonce: nonce)
            message.html = try render(message)
            state.said = seq
            state.lastActive = .now
            state.messages.append(message)
            if state.messages.count > 200 { state.messages.removeFirst() }
            topic.publish(jsonText(message))
            news.notifyAll()
            return message
        }
    }

    /// What came after a message; everything kept when the cursor names none of them.
    func messages(after cursor: String) -> [Message] { state.withLock { $0.messages.after(cursor) } }

    /// A socket begins to listen: what it has missed, then all that comes.
    func join(_ socket: ChatSocket, as name: String, after cursor: String) throws {
        try state.withLock { state in
            for message in state.messages.after(cursor) { socket.peer?.send(jsonText(message)) }
            state.connected[name, default: 0] += 1
            try socket.subscribe(to: topic)
            if !peopleChanged(&state) { socket.peer?.send(jsonText(People(people: state.shown))) }
        }
    }

    /// A socket is gone.
    func leave(as name: String) {
        state.withLock { state in
            let left = (state.connected[name] ?? 1) - 1
            state.connected[name] = left > 0 ? left : nil
            peopleChanged(&state)
        }
    }

    /// Waits until there is something after the cursor or somebody comes or goes, at most so long; then what there is.
    func updates(after cursor: String, for name: String, within limit: Duration) async throws -> (
        messages: [Message], people: [String]
    ) {
        let since = news.generation
        seen(name, for: limit)
        if messages(after: cursor).isEmpty, limit > .zero, !rooms.isStopping {
            _ = try await news.wait(for: limit, since: since)
        }
        seen(name, for: .zero)
        return state.withLock { ($0.messages.after(cursor), $0.shown) }
    }

    /// Somebody polls: here for that long, and for as long as it takes to ask again.
    func seen(_ name: String, for time: Duration) {
        state.withLock { state in
            state.polling[name] = .now + time + .seconds(8)
            peopleChanged(&state)
        }
    }

    /// Answers all who wait.
    func wakeAll() { news.notifyAll() }

    /// Who is here.
    var people: [String] { state.withLock { $0.shown } }

    /// When somebody last spoke, came or went.
    var lastActive: ContinuousClock.Instant { state.withLock { $0.lastActive } }

    /// Nobody is here, nor was within the last minute.
    var isQuiet: Bool { state.withLock { $0.shown.isEmpty && $0.lastActive < .now - .seconds(60) } }

    /// Forgets those who have stopped polling.
    func forgetIdle() { state.withLock { _ = peopleChanged(&$0) } }

    /// Tells everybody if someone has come or gone.
    @discardableResult private func peopleChanged(_ state: inout State) -> Bool {
        state.polling = state.polling.filter { $0.value > .now }
        let present = Set(state.connected.keys).union(state.polling.keys).sorted()
        guard present != state.shown else { return false }
        state.shown = present
        state.lastActive = .now
        topic.publish(jsonText(People(people: present)))
        news.notifyAll()
        return true
    }
}

extension [Message] {
    fileprivate func after(_ cursor: String) -> [Message] {
        guard let index = lastIndex(where: { $0.id == cursor }) else { return self }
        return Array(self[(index + 1)...])
    }
}
