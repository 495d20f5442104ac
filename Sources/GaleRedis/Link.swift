internal import Gale
internal import GaleCore
internal import Logging

/// What is told of a link. On the loop.
protocol LinkOwner: AnyObject {
    /// Redis has accepted it.
    func linkUp(_ link: Link)
    /// It is gone; it had been up, or it hadn't.
    func linkDown(_ link: Link, _ why: String)
    func linkCame(_ value: RedisValue, on link: Link)
    /// Nothing came for a while: asks for a sign of life.
    func linkPing(_ link: Link)
    /// Whether an answer is owed.
    func linkIsOwed(_ link: Link) -> Bool
}

/// A connection to Redis that is made anew whenever it ends. Loop thread.
///
/// It is up when Redis has taken the password and the database, and has answered a PING: a Redis that is still loading,
/// or wants a password that we don't have, counts as away, and is tried again in growing pauses.
final class Link: Wire.Owner, @unchecked Sendable {
    // @unchecked: touched on the thread of its loop alone.
    private enum State { case idle, connecting, greeting, up, pausing, stopped }

    private let name: String
    private let address: RedisAddress
    private let options: RedisOptions
    private let loop: ServiceLoop
    private unowned let owner: any LinkOwner
    private var state = State.idle
    private var wire: Wire?
    private var answersToGreeting = 0
    /// Since it was last up for a while: who greets well and then misbehaves is not asked again and again at once.
    private var attempts = 0
    private var upSince = ContinuousClock.now
    /// The end of connecting, or of a pause.
    private var timer: LoopTimer?
    private var ticker: LoopTimer?
    private var lastCame = ContinuousClock.now
    private var owedSince: ContinuousClock.Instant?
    /// Why it isn't up.
    private(set) var trouble = "not connected yet"

    /// A connection that ends sooner counts as an attempt that failed.
    private static let shortestLife = Duration.seconds(1)

    init(_ name: String, to address: RedisAddress, _ options: RedisOptions, on loop: ServiceLoop, owner: any LinkOwner)
    {
        self.name = name
        self.address = address
        self.options = options
        self.loop = loop
        self.owner = owner
    }

    var isUp: Bool { state == .up }

    func start() { connect() }

    func stop() {
        state = .stopped
        trouble = "the server has stopped"
        letGo()
    }

    /// False: it isn't up, or memory ran out; then it is about to be made anew.
    func send(_ bytes: [UInt8]) -> Bool {
        guard state == .up, let wire else { return false }
        if wire.send(bytes) { return true }
        fail(wire.trouble ?? "no memory to send")
        return false
    }

    /// Gives the connection up; another is made.
    func fail(_ why: String) {
        guard let wire, state != .stopped else { return }
        failed(wire, why)
    }

    // MARK: Connecting

    private func connect() {
        if state == .stopped { return }
        state = .connecting
        arm(options.connectTimeout) { $0.fail("no connection within \($0.options.connectTimeout)") }
        do throws(RedisError) {
            wire = try Wire(to: address.place, maxAnswer: options.maxAnswerBytes, on: loop, owner: self)
        } catch {
            if case .away(let why) = error { down(why) } else { down(error.description) }
        }
    }

    func opened(_ wire: Wire) {
        guard wire === self.wire else { return }
        state = .greeting
        var greeting: [UInt8] = []
        answersToGreeting = 0
        for words in hello {
            guard let bytes = try? Command.encode(words) else { continue }
            greeting += bytes
            answersToGreeting += 1
        }
        if !wire.send(greeting) { fail("no memory to send") }
    }

    /// What a new connection begins with.
    private var hello: [[[UInt8]]] {
        var hello: [[[UInt8]]] = []
        if let password = address.password {
            // Redis before 6 knows no users.
            hello.append(
                address.user.map { Command.words("AUTH", $0, password) } ?? Command.words("AUTH", password))
        }
        if address.database != 0 { hello.append(Command.words("SELECT", String(address.database))) }
        hello.append(Command.words("PING"))
        return hello
    }

    private func greeted(_ value: RedisValue) {
        if case .error(let text) = value {
            fail("Redis: \(text)")
            return
        }
        answersToGreeting -= 1
        if answersToGreeting > 0 { return }
        state = .up
        upSince = .now
        timer?.stop()
        timer = nil
        lastCame = .now
        owedSince = nil
        options.logger.info("connected to Redis at \(address.description) for \(name)")
        tick()
        owner.linkUp(self)
    }

    // MARK: Life

    func came(_ value: RedisValue, on wire: Wire) {
        guard wire === self.wire else { return }
        lastCame = .now
        owedSince = nil
        switch state {
        case .greeting: greeted(value)
        case .up: owner.linkCame(value, on: self)
        default: fail("Redis talks before it is spoken to")
        }
    }

    func failed(_ wire: Wire, _ why: String) {
        guard wire === self.wire else { return }
        down(why)
    }

    /// Looks now and then whether the other side is still there.
    private func tick() {
        guard state == .up else { return }
        let now = ContinuousClock.now
        if owner.linkIsOwed(self) {
            let since = max(owedSince ?? now, lastCame)
            owedSince = owedSince ?? now
            if now - since > options.answerTimeout {
                fail("no answer for \(options.answerTimeout)")
                return
            }
        } else if now - lastCame >= options.pingInterval {
            owedSince = now
            owner.linkPing(self)
        }
        let every = max(min(options.pingInterval, options.answerTimeout) / 4, .milliseconds(10))
        do throws(CoreError) {
            ticker = try loop.timer(after: every) { [weak self] in self?.tick() }
        } catch {
            fail("no memory for a timer")
        }
    }

    private func down(_ why: String) {
        let wasUp = state == .up
        if wasUp && .now - upSince >= max(fullPause, Link.shortestLife) { attempts = 0 }
        letGo()
        if wasUp || trouble != why {
            options.logger.warning("no Redis at \(address.description) for \(name): \(why)")
        }
        trouble = why
        state = .pausing
        attempts += 1
        arm(pause) { $0.connect() }
        owner.linkDown(self, why)
    }

    /// A twentieth of the longest pause, doubled each time; a random half of it, so that not all come at once.
    private var pause: Duration { fullPause / 2 + fullPause / 2 * Double.random(in: 0...1) }

    private var fullPause: Duration {
        let longest = max(min(options.longestPause, .seconds(86400)), .milliseconds(1))
        return min(longest / 20 * (1 << min(max(attempts - 1, 0), 10)), longest)
    }

    private func arm(_ time: Duration, _ body: @escaping (Link) -> Void) {
        timer?.stop()
        timer = nil
        do throws(CoreError) {
            timer = try loop.timer(after: time) { [weak self] in
                guard let self, self.state != .stopped else { return }
                self.timer = nil
                body(self)
            }
        } catch {
            // Without memory for a timer it is tried at once, after all else that waits for the loop.
            loop.post { [weak self] in
                guard let self, self.state == .pausing else { return }
                self.connect()
            }
        }
    }

    private func letGo() {
        wire?.close()
        wire = nil
        timer?.stop()
        timer = nil
        ticker?.stop()
        ticker = nil
    }
}
