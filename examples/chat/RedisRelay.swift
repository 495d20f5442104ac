import Foundation
import Gale
import GaleRedis
import Logging
import Synchronization

/// Many processes, joined by a Redis. It gives each message its place and remembers the last of them; each process keeps
/// them too, and puts back what Redis has lost.
struct RedisRelay: Relay {
    private let redis: Redis
    private let directory: RedisPresence
    let isShared = true

    /// Throws a `RedisError` that says what is wrong with the URL.
    init(_ url: String) throws {
        var options = RedisOptions()
        options.logger = Settings().logger
        redis = try Redis(url, options)
        directory = RedisPresence("gale-chat:rooms", on: redis) { _ in }
    }

    var isJoined: Bool { redis.isConnected }
    var rooms: [String] { directory.people }
    var services: [any Service] { [redis] }
    func onChange(_ body: @escaping @Sendable () -> Void) { redis.onChange { _ in body() } }
    func line(of room: String) -> any Line { RedisLine(room, on: redis, in: directory) }
}

private final class RedisLine: Line {
    /// A remark that has not got its place yet. Who says it again waits for the same.
    private final class Attempt: Sendable {
        let isOver = Event()
        let message = Mutex<Message?>(nil)
    }
    private struct State {
        var log: RedisLog?
        var people: RedisPresence?
        var attempts: [String: Attempt] = [:]
    }
    private let logger = Settings().logger
    private let room: String
    private let redis: Redis
    private let directory: RedisPresence
    private let state = Mutex(State())

    init(_ room: String, on redis: Redis, in directory: RedisPresence) {
        (self.room, self.redis, self.directory) = (room, redis, directory)
    }

    func open(_ room: Room) {
        // Redis forgets a room in which nothing is said for a month: their names come from the network.
        let log = RedisLog("gale-chat:room:" + self.room, on: redis, expires: .seconds(30 * 86400)) {
            [weak room] entry in
            if let room, let message = Message(entry, in: room.name) { room.receive(message) }
        }
        let people = RedisPresence("gale-chat:people:" + self.room, on: redis) { [weak room] in room?.meet($0) }
        state.withLock { ($0.log, $0.people) = (log, people) }
        log.open()
        directory.enter(self.room)
    }

    /// The log and the presence end by themselves, when nobody holds them any more.
    deinit { directory.leave(room) }

    func enter(_ name: String) { state.withLock { $0.people }?.enter(name) }
    func leave(_ name: String) { state.withLock { $0.people }?.leave(name) }

    func catchUp() async throws {
        if redis.isConnected { _ = try await state.withLock({ $0.log })?.caughtUp(for: .seconds(2)) }
    }

    func say(_ remark: Remark, in room: Room, within limit: Duration) async throws -> Message {
        // No name has a line break in it, so no two senders have the same key.
        let key = remark.from + "\n" + (remark.nonce.isEmpty ? UUID().uuidString : remark.nonce)
        let attempt = state.withLock { state in
            if let attempt = state.attempts[key] { return attempt }
            let attempt = Attempt()
            state.attempts[key] = attempt
            // It goes on when its sender has waited long enough, or has left.
            Task { await append(remark, under: key, attempt) }
            return attempt
        }
        try await attempt.isOver.wait(for: limit)
        guard let message = attempt.message.withLock({ $0 }) else { throw CutOff() }
        return message
    }

    private func append(_ remark: Remark, under key: String, _ attempt: Attempt) async {
        do {
            let entry = try await state.withLock({ $0.log })?.append(jsonText(remark), unique: key)
            let message = entry.flatMap { Message($0, in: room) }
            attempt.message.withLock { $0 = message }
        } catch {
            logger.warning("a message could not be sent yet: \(error)")
        }
        state.withLock { $0.attempts[key] = nil }
        attempt.isOver.set()
    }
}

extension Message {
    /// What another process said, if it keeps our limits.
    fileprivate init?(_ entry: RedisLogEntry, in room: String) {
        let place = entry.id.split(separator: "-").compactMap { Int($0) }
        guard place.count == 2, let remark = try? JSONDecoder().decode(Remark.self, from: Data(entry.text.utf8)),
            remark.isSound
        else { return nil }
        do { try self.init(remark, id: Message.id(place[0], place[1]), in: room) } catch { return nil }
    }
}
