import Foundation
import Gale
import Synchronization

/// One room: its last messages, who listens, who is here.
///
/// Everything that must agree changes under one lock: a socket that joins gets what it has missed and then, without a gap
/// and without a double, what is said from then on. Publishing never waits, so the lock is never held long.
final class Room: Sendable {
    let name: String
    private let relay: any Relay
    private let line: any Line
    private let news = Condition()
    private let topic: Topic
    private let state = Mutex(State())

    private struct State {
        var messages: [Message] = []
        var connected: [String: Int] = [:]
        var polling: [String: ContinuousClock.Instant] = [:]
        /// Who is here by this process, as the line was told, and by others, as it told us.
        var own: Set<String> = []
        var others: Set<String> = []
        var shown: [String] = []
        var lastActive = ContinuousClock.now

        /// The message that is this remark.
        func said(_ remark: Remark) -> Message? { messages.last { $0.remark.isSame(as: remark) } }
    }

    /// Who is here, and whether that is all of them.
    private struct People: Encodable {
        let type = "people"
        let people: [String]
        let joined: Bool
    }

    /// What a long poll gets.
    struct Update: Encodable {
        let messages: [Message]
        let people: [String]
        let joined: Bool
        let cursor: String
        /// Given back with the next poll, so that nothing happens unseen between the two.
        let news: String
    }

    init(_ name: String, over relay: any Relay) {
        self.name = name
        self.relay = relay
        topic = Topic(name)
        line = relay.line(of: name)
        line.open(self)
    }

    /// Waits until what was said elsewhere is here, though only a moment.
    func catchUp() async throws { try await line.catchUp() }

    // MARK: Talking

    /// Says something to everybody; what has been said already, by its nonce, is not said again. Throws `CutOff`.
    func say(_ remark: Remark, within limit: Duration) async throws -> Message {
        if let said = state.withLock({ $0.said(remark) }) { return said }
        return try await line.say(remark, in: self, within: limit)
    }

    /// Adds a message and sends it to everybody here; returns the one that stands for it.
    @discardableResult func receive(_ message: Message) -> Message {
        state.withLock { state in
            if let said = state.said(message.remark) { return said }
            state.lastActive = .now
            state.messages.append(message)
            if state.messages.count > 200 { state.messages.removeFirst() }
            topic.publish(jsonText(message))
            news.notifyAll()
            return message
        }
    }

    // MARK: Listening

    /// What came after a message.
    func messages(after cursor: String) -> [Message] { state.withLock { $0.messages.after(cursor) } }

    /// A socket begins to listen: what it has missed, then all that comes.
    func join(_ socket: ChatSocket, as name: String, after cursor: String) throws {
        try state.withLock { state in
            for message in state.messages.after(cursor) { socket.peer?.send(jsonText(message)) }
            state.connected[name, default: 0] += 1
            try socket.subscribe(to: topic)
            if !peopleChanged(&state) { socket.peer?.send(people(state)) }
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

    /// Waits until there is something after the cursor, somebody comes or goes or the relay breaks or mends, at most so
    /// long; then what there is. `seen` is the `news` of the answer before.
    func updates(after cursor: String, seen: String?, for name: String, within limit: Duration) async throws -> Update {
        let since = generation(seen)
        show(name, for: limit)
        if messages(after: cursor).isEmpty, limit > .zero, !rooms.isStopping {
            _ = try await news.wait(for: limit, since: since)
        }
        show(name, for: .zero)
        return state.withLock { state in
            let missed = state.messages.after(cursor)
            return Update(
                messages: missed, people: state.shown, joined: relay.isJoined, cursor: missed.last?.id ?? cursor,
                news: "\(rooms.run)-\(news.generation)")
        }
    }

    /// What has been seen, of this process; of another, nothing.
    private func generation(_ seen: String?) -> UInt64 {
        guard let seen, !seen.isEmpty else { return news.generation }
        let prefix = rooms.run + "-"
        return seen.hasPrefix(prefix) ? UInt64(seen.dropFirst(prefix.count)) ?? .max : .max
    }

    /// Answers all who wait.
    func wakeAll() { news.notifyAll() }

    // MARK: People

    /// Who is here.
    var people: [String] { state.withLock { $0.shown } }

    /// When somebody last spoke, came or went.
    var lastActive: ContinuousClock.Instant { state.withLock { $0.lastActive } }

    /// Nobody is here, nor was within the last minute.
    var isQuiet: Bool { state.withLock { $0.shown.isEmpty && $0.lastActive < .now - .seconds(60) } }

    /// Forgets those who have stopped polling.
    func forgetIdle() { state.withLock { _ = peopleChanged(&$0) } }

    /// These are here by other processes.
    func meet(_ others: [String]) {
        state.withLock { state in
            state.others = Set(others)
            peopleChanged(&state)
        }
    }

    /// Tells everybody whether the other processes can be reached.
    func tell() {
        state.withLock { topic.publish(people($0)) }
        news.notifyAll()
    }

    /// Somebody polls: here for that long, and for as long as it takes to ask again.
    private func show(_ name: String, for time: Duration) {
        state.withLock { state in
            state.polling[name] = .now + time + .seconds(8)
            peopleChanged(&state)
        }
    }

    /// Tells everybody if someone has come or gone.
    @discardableResult private func peopleChanged(_ state: inout State) -> Bool {
        state.polling = state.polling.filter { $0.value > .now }
        let own = Set(state.connected.keys).union(state.polling.keys)
        for name in own.subtracting(state.own) { line.enter(name) }
        for name in state.own.subtracting(own) { line.leave(name) }
        state.own = own
        let present = own.union(state.others).sorted()
        guard present != state.shown else { return false }
        state.shown = present
        state.lastActive = .now
        topic.publish(people(state))
        news.notifyAll()
        return true
    }

    private func people(_ state: State) -> String { jsonText(People(people: state.shown, joined: relay.isJoined)) }
}
