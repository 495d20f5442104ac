internal import Gale
internal import GaleCore
internal import Logging

/// One log, as the loop knows it: reads the stream, follows its channel, puts back what Redis has lost.
///
/// Why every entry comes once and in order. A script appends to the stream and publishes in one step, so the channel
/// has the stream's order, and each message names the entry before it. Whenever either connection was made anew, the
/// channel is subscribed to first, then the stream is read from the last entry seen, then follows what came over the
/// channel meanwhile: nothing falls between. What comes twice is known by its id (`LogWindow`). A message whose
/// predecessor was not seen shows a gap: the stream is read again, and what isn't in it then is no entry. If the last seen is not in the stream, Redis
/// has lost it, and what is missing is put back under its own ids. Messages that come before all this is done wait,
/// bounded; beyond that the stream is read once more instead.
///
/// What was appended, and whose answer was lost, is sent again under its key (`LogAppender`). An answer that came is a
/// promise: the entry is put back even if Redis was lost before anybody got it over the channel.
///
/// While the log settles (`LogScripts`) nothing new is appended, so what is put back by then stands in its old place,
/// and the order is the same for all. What is put back later is delivered late to who hasn't had it.
final class LogResident: RedisResident, @unchecked Sendable {
    // @unchecked: `queue` and `recent` are guarded; the rest is touched on the thread of the loop alone.
    private enum Phase { case away, reading, restoring, following }

    let names: LogNames
    var name: String { names.name }
    let options: RedisOptions
    let queue: Guarded<LogQueue>
    let recent: Guarded<LogWindow>
    /// Set while all that the stream had when the connections were made has been delivered.
    let caughtUp = Event()
    private let keeping: Int
    private let expires: Duration?
    private let deliver: @Sendable (RedisLogEntry) -> Void
    private lazy var subscription = SubscriptionResident(
        topic: SubscriptionResident.Topic(name: names.channel, isPattern: false),
        changed: { [weak self] in self?.subscriptionChanged($0) },
        { [weak self] in self?.came($0) })
    private lazy var appender = LogAppender(self)

    private(set) weak var core: RedisCore?
    private var phase = Phase.away
    /// Counts what makes older answers worthless.
    private var round = 0
    /// Shall be read once more when this reading is over.
    private var again = false
    private var held: [Held] = []
    /// Entries whose callers were told that they stand, and that haven't come yet: nobody else may know of them.
    private var promised: [RedisLogEntry] = []
    private var heldBytes = 0
    private var strays = Strays()
    private var retry: LoopTimer?

    /// A message that waits, and the round in which it came: what was read wholly in a later one had its entry.
    private struct Held {
        let message: LogMessage
        let round: Int
    }

    /// Entries of one page, and of one call that puts back; the bytes of the latter.
    static let page = 32
    private static let restoreBytes = 1 << 20
    private static let maxHeld = 1000
    private static let maxHeldBytes = 4 << 20
    private static let retryPause = Duration.milliseconds(500)

    init(
        _ names: LogNames, keeping: Int, expires: Duration?, options: RedisOptions,
        _ deliver: @escaping @Sendable (RedisLogEntry) -> Void
    ) {
        self.names = names
        self.keeping = keeping
        self.expires = expires
        self.options = options
        self.deliver = deliver
        queue = Guarded(LogQueue(maxCount: options.maxEntriesWaiting, maxBytes: options.maxEntryBytesWaiting))
        recent = Guarded(LogWindow(keeping: keeping))
    }

    /// The largest text: a page of them is an answer that is taken.
    var maxText: Int { options.maxAnswerBytes / (2 * LogResident.page) }
    var isFollowing: Bool { phase == .following && !again }
    var seen: RedisLogPosition { recent.withLock { $0.seen } }
    var keepingWord: [UInt8] { Array(String(keeping).utf8) }
    /// "" where the log stays for ever.
    var expiryWord: [UInt8] { Array((expires.map { String(max($0.milliseconds, 1)) } ?? "").utf8) }

    // MARK: Resident

    func join(_ core: RedisCore) {
        self.core = core
        queue.withLock { $0.isStopped = false }
        core.channels.add(subscription)
    }

    func leave(_ core: RedisCore) {
        core.channels.remove(subscription)
        letGo()
    }

    func stopped() {
        letGo()
        queue.withLock { $0.isStopped = true }
        fail(.away("the server has stopped"))
    }

    private func letGo() {
        forget()
        appender.stop()
        retry?.stop()
        retry = nil
        core = nil
    }

    func commandsChanged(_ core: RedisCore) {
        if core.commands.isUp { begin() } else if phase != .following { forget() }
    }

    private func subscriptionChanged(_ isActive: Bool) {
        forget()
        if isActive { begin() }
    }

    func flush(_ core: RedisCore) {
        if self.core === core { appender.flush() }
    }

    /// What is under way is void.
    private func forget() {
        phase = .away
        caughtUp.clear()
        round += 1
        again = false
        (held, heldBytes) = ([], 0)
    }

    // MARK: Reading

    /// Reads what is new, if both connections stand; once more, if that is being done.
    func begin() {
        guard let core, core.commands.isUp, subscription.isActive.withLock({ $0 }) else { return }
        if phase == .reading || phase == .restoring {
            again = true
            return
        }
        phase = .reading
        again = false
        round += 1
        read(Reading(from: seen))
    }

    /// How far a reading is.
    private struct Reading {
        var from: RedisLogPosition
        var isFirstPage = true
        /// All of it is read: where the last one that was seen stood is not known.
        var isWhole = false
        var found: Set<RedisLogPosition> = []
        var first: RedisLogPosition?

        init(from position: RedisLogPosition) { from = position }
    }

    private func read(_ reading: Reading) {
        let settling = max(options.settling.milliseconds, 1)
        let words = [
            Array("EVAL".utf8), Array(LogScripts.read.utf8), Array("3".utf8), names.stream, names.epoch,
            names.settling, Array(reading.from.text.utf8), keepingWord, Array(String(settling).utf8),
            Array(String(LogResident.page).utf8), Array((reading.isFirstPage ? "1" : "0").utf8), expiryWord,
        ]
        call(words) { log, result in
            do throws(RedisError) {
                try log.read(reading, gave: result.get())
            } catch {
                log.stumbled(error)
            }
        }
    }

    private func read(_ reading: Reading, gave answer: RedisValue) throws(RedisError) {
        guard let parts = answer.array, parts.count == 4, case .integer(let isKnown) = parts[0],
            case .integer(let count) = parts[1], let values = parts[2].array, values.count <= LogResident.page,
            let trouble = parts[3].text
        else { throw .answer("the script that reads \(name) gave something else") }
        if !trouble.isEmpty { unable(.server(trouble)) }
        var reading = reading
        if isKnown == 0 { reading.isWhole = true }
        for value in values {
            guard let item = LogItem(value) else { throw .answer("the stream \(name) has no entries of a log") }
            // Pages that don't go on would never end.
            if !reading.isFirstPage && item.position <= reading.from { throw .answer("a page of \(name) goes back") }
            if reading.first == nil {
                reading.first = item.position
                if isKnown == 0 { noteGap(upTo: item.position, count) }
            }
            if reading.isWhole { reading.found.insert(item.position) }
            reading.from = item.position
            take(item)
        }
        reading.isFirstPage = false
        if values.count == LogResident.page {
            read(reading)
        } else {
            finish(reading, count)
        }
    }

    private func take(_ item: LogItem) {
        guard let entry = item.entry else {
            recent.withLock { $0.pass(item.position) }
            return
        }
        if isNew(entry) { deliver(entry) }
    }

    private func isNew(_ entry: RedisLogEntry) -> Bool {
        promised.removeAll { $0.position == entry.position || ByteString($0.key) == ByteString(entry.key) }
        return recent.withLock { $0.take(entry) }
    }

    /// An entry was appended. If Redis is lost before anybody has got it over the channel, it is put back.
    func promise(_ entry: RedisLogEntry) {
        let isKnown = recent.withLock { $0.contains(entry.position) || entry.position <= $0.seen }
        if isKnown || promised.contains(where: { $0.position == entry.position }) { return }
        promised.append(entry)
        if promised.count > keeping { promised.removeFirst() }
    }

    /// The history begins after what was seen last: what was between has gone.
    private func noteGap(upTo first: RedisLogPosition, _ count: Int) {
        if seen != .start && seen < first && count >= keeping {
            options.logger.warning("entries of \(name) may be missed: it keeps \(keeping), and more have come")
        }
    }

    /// All pages are read: what does Redis lack?
    private func finish(_ reading: Reading, _ count: Int) {
        let window = recent.withLock { $0 }
        if !reading.isWhole {
            if window.entries.count <= count && promised.isEmpty { return follow() }
            // The last that was seen is there, but others are not.
            var whole = Reading(from: .start)
            whole.isWhole = true
            return read(whole)
        }
        let known = (window.entries + promised).sorted { $0.position < $1.position }
        let missing = known.filter { entry in
            if reading.found.contains(entry.position) { return false }
            // What the stream has let go because it is full is not missing.
            if let first = reading.first, count >= keeping, entry.position < first { return false }
            return true
        }
        let positions = Set(missing.map(\.position))
        promised.removeAll { !positions.contains($0.position) }
        phase = .restoring
        restore(missing[...])
    }

    /// An answer that doesn't come, or is none.
    private func stumbled(_ error: RedisError) {
        forget()
        switch error {
        case .away, .lost: break  // `commandsChanged` comes
        default:
            options.logger.warning("\(name): \(error)")
            unable(error)
        }
    }

    /// Nothing can be appended now: what waits is told so, unless it passes by itself.
    private func unable(_ error: RedisError) {
        if case .limit = error {} else if !error.isPassing { fail(error) }
        tryLater()
    }

    private func fail(_ error: RedisError) {
        for entry in queue.withLock({ $0.takeAll() }) { entry.answer.finish(.failure(error)) }
    }

    private func tryLater() {
        guard retry == nil, let core else { return }
        retry = try? core.loop.timer(after: LogResident.retryPause) { [weak self] in
            self?.retry = nil
            self?.begin()
        }
        // Without memory for a timer: with the next change of a connection, or the next message.
    }

    // MARK: Putting back

    private func restore(_ missing: ArraySlice<RedisLogEntry>) {
        if missing.isEmpty { return follow() }
        var keys = [names.stream]
        let lifetime = max(options.keyLifetime.milliseconds, 1)
        var values = [names.channel, keepingWord, Array(String(lifetime).utf8), expiryWord]
        var bytes = 0
        var rest = missing
        while let entry = rest.first, keys.count <= LogResident.page, bytes < LogResident.restoreBytes {
            keys.append(names.mark(of: entry.key))
            values += [Array(entry.id.utf8), Array(entry.key.utf8), Array(entry.text.utf8)]
            bytes += entry.text.utf8.count
            rest.removeFirst()
        }
        let words = Command.words("EVAL", LogScripts.restore, String(keys.count)) + keys + values
        call(words) { [rest] log, result in
            switch result {
            case .success: log.restore(rest)
            case .failure(.away(let why)), .failure(.lost(let why)): log.stumbled(.away(why))
            case .failure(let error):
                // Redis has no memory, say. What comes is delivered all the same, and it is tried again.
                log.options.logger.warning("\(log.name): cannot put entries back: \(error)")
                log.follow()
                log.tryLater()
            }
        }
    }

    // MARK: Following

    private func follow() {
        phase = .following
        let messages = held
        (held, heldBytes) = ([], 0)
        for held in messages { came(held) }
        if phase != .following { return }
        if again { return begin() }
        caughtUp.set()
        appender.flush()
    }

    private func came(_ message: RedisMessage) {
        if let message = LogMessage(message.bytes) {
            came(Held(message: message, round: round))
        } else {
            options.logger.warning("\(name): something else than an entry came over its channel")
        }
    }

    private func came(_ held: Held) {
        if phase != .following { return hold(held) }
        let message = held.message
        let before = seen
        if message.isAppended && message.previous > before && message.entry.position > before {
            return held.round < round ? drop(message) : gap(held)
        }
        if !isNew(message.entry) { return }
        deliver(message.entry)
        // Redis has lost what was seen last.
        if message.isAppended && message.previous < before { begin() }
    }

    /// It waits for what comes before it, and is read with that. Not at once where the last reading was in vain: who
    /// publishes what isn't there would keep all reading.
    private func gap(_ held: Held) {
        hold(held)
        if retry == nil { begin() }
    }

    /// All was read since it came, and neither it nor what it names is there: Redis has lost it, and its process puts
    /// it back, or it never was an entry.
    private func drop(_ message: LogMessage) {
        if let count = strays.add() {
            options.logger.warning(
                "\(name): \(count) messages came of entries that aren't there, such as \(message.entry.id)")
        }
        tryLater()
    }

    private func hold(_ one: Held) {
        if held.count >= LogResident.maxHeld || heldBytes + one.message.bytes > LogResident.maxHeldBytes {
            // It is in the stream.
            again = true
            return
        }
        held.append(one)
        heldBytes += one.message.bytes
    }

    // MARK: Calls

    /// Sends a command now or not at all; `body` is called unless all has changed meanwhile.
    private func call(_ words: [[UInt8]], _ body: @escaping (LogResident, Result<RedisValue, RedisError>) -> Void) {
        guard let core else { return }
        let continuation = LogContinuation(body)
        do throws(RedisError) {
            let command = try Command(words) { [weak self, round] result in
                guard let self, self.round == round else { return }
                continuation.body(self, result)
            }
            core.commands.send(command, patience: .zero)
        } catch {
            stumbled(error)
        }
    }
}

/// What goes on when an answer has come: on the loop, as it was made there.
private struct LogContinuation: @unchecked Sendable {
    // @unchecked: called on the thread of the loop alone, where it was made.
    let body: (LogResident, Result<RedisValue, RedisError>) -> Void

    init(_ body: @escaping (LogResident, Result<RedisValue, RedisError>) -> Void) { self.body = body }
}

extension Duration {
    /// Whole ones, rounded up; at most 140,000 years, which Redis can still count from now.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let most = Int64(1) << 52
        if seconds >= most / 1000 { return most }
        if seconds <= -most / 1000 { return -most }
        return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }
}
