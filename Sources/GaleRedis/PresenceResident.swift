internal import Gale
internal import GaleCore
internal import Logging

/// One presence, as the loop knows it.
///
/// A sorted set has "PROCESS PERSON", with the time at which each ends, by Redis' clock. Every process renews its own
/// three times in their lifetime, and whenever it is connected anew, which puts them back into a Redis that was emptied.
/// Whoever changes the set says so on a channel, and all read it again.
final class PresenceResident: RedisResident, @unchecked Sendable {
    // @unchecked: `state` is guarded; the rest is touched on the thread of the loop alone.
    private struct State {
        /// Those of this process, and how often.
        var own: [ByteString: Int] = [:]
        /// All, as Redis had them last.
        var all: Set<ByteString> = []
        var told: [ByteString]?
    }

    private let name: String
    private let channel: String
    private let options: RedisOptions
    private let changed: @Sendable ([String]) -> Void
    private let state = Guarded(State())
    /// Tells this process' people from those of others.
    private let process = RandomName.make()
    private lazy var subscription = SubscriptionResident(
        topic: SubscriptionResident.Topic(name: Array(channel.utf8), isPattern: false),
        changed: { [weak self] _ in self?.refresh() }, { [weak self] _ in self?.refresh() })
    private weak var core: RedisCore?
    private var isAsking = false
    private var again = false
    private var timer: LoopTimer?
    /// While it runs nobody is taken off the list for not being in the set: Redis may have lost it, and the other
    /// processes are about to put their people back.
    private var settling: LoopTimer?

    private static let maxPeople = 10_000
    private static let maxBytes = 512

    init(
        _ name: String, database: Int, options: RedisOptions, _ changed: @escaping @Sendable ([String]) -> Void
    ) {
        self.name = name
        // Channels are of the whole server.
        channel = "gale-presence:changed:\(database):" + name
        self.options = options
        self.changed = changed
    }

    var people: [String] { state.withLock { Array($0.all.union($0.own.keys)) }.sorted().map(\.text) }

    func enter(_ name: String) {
        let person = ByteString(name)
        let isTaken = state.withLock { state in
            guard person.bytes.count <= PresenceResident.maxBytes,
                state.own[person] != nil || state.own.count < PresenceResident.maxPeople
            else { return false }
            state.own[person, default: 0] += 1
            return true
        }
        if !isTaken {
            options.logger.warning("\(self.name): somebody is too many, or has too long a name, and isn't shown")
        }
    }

    func leave(_ name: String) {
        let person = ByteString(name)
        state.withLock { state in
            guard let count = state.own[person] else { return }
            state.own[person] = count > 1 ? count - 1 : nil
            if count == 1 { state.all.remove(person) }
        }
    }

    // MARK: Resident

    func join(_ core: RedisCore) {
        self.core = core
        core.channels.add(subscription)
        refresh()
        tick()
    }

    func leave(_ core: RedisCore) {
        state.withLock { $0.own = [:] }
        core.channels.remove(subscription)
        sayGoodbye(core)
        letGo()
    }

    func stopping(_ core: RedisCore) { sayGoodbye(core) }

    func stopped() { letGo() }

    private func letGo() {
        for timer in [timer, settling] { timer?.stop() }
        (timer, settling) = (nil, nil)
        core = nil
        isAsking = false
        again = false
    }

    func commandsChanged(_ core: RedisCore) {
        settling?.stop()
        settling = nil
        if core.commands.isUp {
            // Without memory for a timer it does not settle.
            settling = try? core.loop.timer(after: options.settling) { [weak self] in
                self?.settling = nil
                self?.refresh()
            }
        }
        refresh()
    }

    private func tick() {
        guard let core else { return }
        let every = max(options.presenceLifetime / 3, .milliseconds(10))
        timer = try? core.loop.timer(after: every) { [weak self] in
            self?.refresh()
            self?.tick()
        }
        // Without memory for a timer: with the next change of any kind.
    }

    // MARK: Asking

    func refresh(_ core: RedisCore) {
        if self.core === core { refresh() }
    }

    /// Says who is here, and hears who is there. One call at a time.
    private func refresh() {
        guard let core, core.commands.isUp else { return }
        if isAsking {
            again = true
            return
        }
        isAsking = true
        again = false
        send(core, state.withLock { Array($0.own.keys) }) { [weak self] result in
            guard let self, self.core != nil else { return }
            self.isAsking = false
            switch result {
            case .success(let value): self.heard(value)
            case .failure(.away), .failure(.lost): return
            case .failure(let error): self.options.logger.warning("\(self.name): \(error)")
            }
            if self.again { self.refresh() }
        }
    }

    private func sayGoodbye(_ core: RedisCore) { send(core, []) { _ in } }

    private func send(
        _ core: RedisCore, _ people: [ByteString], _ done: @escaping @Sendable (Result<RedisValue, RedisError>) -> Void
    ) {
        let words =
            Command.words(
                "EVAL", PresenceResident.script, "1", name, channel, process,
                String(max(options.presenceLifetime.milliseconds, 1)), String(PresenceResident.maxPeople))
            + people.map(\.bytes)
        do throws(RedisError) {
            core.commands.send(try Command(words, done), patience: .zero)
        } catch {
            done(.failure(error))
        }
    }

    private func heard(_ value: RedisValue) {
        guard let members = value.array, members.count <= PresenceResident.maxPeople else {
            options.logger.warning("\(name): Redis told nobody's names")
            return
        }
        var all: Set<ByteString> = []
        for member in members {
            // "PROCESS PERSON"; what looks otherwise was put there by somebody else.
            guard case .bytes(let bytes) = member, let space = bytes.firstIndex(of: 32) else { continue }
            all.insert(ByteString(bytes[(space + 1)...]))
        }
        let news: [ByteString]? = state.withLock { state in
            state.all = settling == nil ? all : state.all.union(all)
            let people = Array(state.all.union(state.own.keys)).sorted()
            if state.told == people { return nil }
            state.told = people
            return people
        }
        if let news { changed(news.map(\.text)) }
    }

    /// KEYS: the set. ARGV: channel, process, lifetime, how many to give, the people of the process. Gives the set.
    private static let script = """
        local now = redis.call('TIME')
        now = now[1] * 1000 + math.floor(now[2] / 1000)
        local changes = redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
        local mine, here = ARGV[2] .. ' ', {}
        for i = 5, #ARGV do
            here[mine .. ARGV[i]] = true
            changes = changes + redis.call('ZADD', KEYS[1], now + ARGV[3], mine .. ARGV[i])
        end
        for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
            if string.sub(member, 1, #mine) == mine and not here[member] then
                changes = changes + redis.call('ZREM', KEYS[1], member)
            end
        end
        redis.call('PEXPIRE', KEYS[1], ARGV[3] * 2)
        if changes > 0 then redis.call('PUBLISH', ARGV[1], '') end
        return redis.call('ZRANGE', KEYS[1], 0, ARGV[4] - 1)
        """
}
