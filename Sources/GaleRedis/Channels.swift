internal import Gale
internal import GaleCore
internal import Logging

/// The connection for channels: what this process subscribes to, and to whom each message goes. Loop thread.
final class Channels: LinkOwner, @unchecked Sendable {
    // @unchecked: touched on the thread of its loop alone.
    typealias Topic = SubscriptionResident.Topic

    /// A command whose confirmation is to come.
    private enum Asked: Equatable {
        case subscribe(Topic)
        case unsubscribe(Topic)
        case ping
    }

    private struct Place {
        var residents: [SubscriptionResident] = []
        /// SUBSCRIBEs that aren't confirmed; it is active when none is.
        var owed = 0
        var isActive = false
    }

    private let options: RedisOptions
    private unowned let core: RedisCore
    private lazy var link = Link("channels", to: core.address, options, on: core.loop, owner: self)
    private var places: [Topic: Place] = [:]
    private var asked = Fifo<Asked>()
    private lazy var refusals = Refusals(longestPause: options.longestPause)
    private var timer: LoopTimer?
    private var timerEnds: ContinuousClock.Instant?

    init(_ core: RedisCore) {
        self.core = core
        options = core.options
    }

    var isUp: Bool { link.isUp }

    func start() { link.start() }

    func stop() {
        link.stop()
        forget()
        places = [:]
    }

    func add(_ resident: SubscriptionResident) {
        let topic = resident.topic
        if places[topic] == nil && places.count >= options.maxSubscriptions {
            options.logger.error("more than \(options.maxSubscriptions) subscriptions to Redis; one more is not made")
            return
        }
        var place = places[topic] ?? Place()
        if place.residents.contains(where: { $0 === resident }) { return }
        place.residents.append(resident)
        let isFirst = place.residents.count == 1
        let isActive = place.isActive
        places[topic] = place
        if isFirst {
            if isUp { ask(.subscribe(topic)) }
        } else if isActive {
            resident.becomes(active: true)
        }
    }

    func remove(_ resident: SubscriptionResident) {
        let topic = resident.topic
        guard var place = places[topic] else { return }
        place.residents.removeAll { $0 === resident }
        resident.becomes(active: false)
        if !place.residents.isEmpty {
            places[topic] = place
            return
        }
        place.isActive = false
        // What is still owed is counted until it has come.
        places[topic] = place.owed > 0 ? place : nil
        if isUp { ask(.unsubscribe(topic)) }
    }

    private func ask(_ what: Asked) {
        let words: [[UInt8]]
        switch what {
        case .subscribe(let topic):
            places[topic]?.owed += 1
            words = [Array((topic.isPattern ? "PSUBSCRIBE" : "SUBSCRIBE").utf8), topic.name]
        case .unsubscribe(let topic):
            words = [Array((topic.isPattern ? "PUNSUBSCRIBE" : "UNSUBSCRIBE").utf8), topic.name]
        case .ping: words = Command.words("PING")
        }
        guard let bytes = try? Command.encode(words) else { return }
        asked.append(what)
        _ = link.send(bytes)
    }

    private func forget() {
        _ = asked.popAll()
        refusals.removeAll()
        timer?.stop()
        (timer, timerEnds) = (nil, nil)
        for (topic, var place) in places {
            place.owed = 0
            place.isActive = false
            places[topic] = place.residents.isEmpty ? nil : place
            for resident in place.residents { resident.becomes(active: false) }
        }
    }

    // MARK: Link

    func linkUp(_ link: Link) {
        for topic in places.keys { ask(.subscribe(topic)) }
        core.connectionChanged()
    }

    func linkDown(_ link: Link, _ why: String) {
        forget()
        core.connectionChanged()
    }

    func linkPing(_ link: Link) { ask(.ping) }

    func linkIsOwed(_ link: Link) -> Bool { !asked.isEmpty }

    func linkCame(_ value: RedisValue, on link: Link) {
        if case .error(let text) = value { return refused(text, on: link) }
        if case .status("PONG") = value { return confirmed(.ping, on: link) }
        guard let parts = value.array, let kind = parts.first?.text, parts.count >= 2,
            case .bytes(let name) = parts[1]
        else { return link.fail("Redis sent something else than a message") }
        switch (kind, parts.count) {
        case ("message", 3): deliver(parts[2], of: name, to: Topic(name: name, isPattern: false), on: link)
        case ("pmessage", 4):
            guard case .bytes(let channel) = parts[2] else { return link.fail("Redis sent a message of no channel") }
            deliver(parts[3], of: channel, to: Topic(name: name, isPattern: true), on: link)
        case ("subscribe", 3): confirmed(.subscribe(Topic(name: name, isPattern: false)), on: link)
        case ("psubscribe", 3): confirmed(.subscribe(Topic(name: name, isPattern: true)), on: link)
        case ("unsubscribe", 3): confirmed(.unsubscribe(Topic(name: name, isPattern: false)), on: link)
        case ("punsubscribe", 3): confirmed(.unsubscribe(Topic(name: name, isPattern: true)), on: link)
        case ("pong", 2): confirmed(.ping, on: link)
        default: link.fail("Redis sent something else than a message")
        }
    }

    private func deliver(_ payload: RedisValue, of channel: [UInt8], to topic: Topic, on link: Link) {
        guard case .bytes(let bytes) = payload else { return link.fail("Redis sent a message without bytes") }
        // It may have been unsubscribed from meanwhile.
        guard let place = places[topic] else { return }
        let message = RedisMessage(channel: String(decoding: channel, as: UTF8.self), bytes: bytes)
        for resident in place.residents { resident.came(message) }
    }

    /// The oldest command is answered.
    private func confirmed(_ what: Asked, on link: Link) {
        guard asked.popFirst() == what else { return link.fail("Redis confirmed what it wasn't asked for") }
        switch what {
        case .subscribe(let topic), .unsubscribe(let topic): refusals.remove(topic)
        case .ping: return
        }
        guard case .subscribe(let topic) = what, var place = places[topic] else { return }
        place.owed -= 1
        place.isActive = place.owed == 0 && !place.residents.isEmpty
        places[topic] = place.owed == 0 && place.residents.isEmpty ? nil : place
        if place.isActive {
            for resident in place.residents { resident.becomes(active: true) }
        }
    }

    /// The oldest command is refused: Redis is busy, or this user may not read the channel. The others stand, and it is
    /// asked for again.
    private func refused(_ text: String, on link: Link) {
        guard let what = asked.popFirst() else { return link.fail("Redis: \(text)") }
        let refused: Topic
        switch what {
        case .ping: return link.fail("Redis: \(text)")
        case .unsubscribe(let topic): refused = topic
        case .subscribe(let topic):
            refused = topic
            if var place = places[topic] {
                place.owed -= 1
                places[topic] = place.owed == 0 && place.residents.isEmpty ? nil : place
            }
        }
        let error = RedisError.server(text)
        if refusals.add(refused, error) {
            let name = String(decoding: refused.name, as: UTF8.self)
            options.logger.error("no subscription to \(name) yet: \(error)")
        }
        askLater()
    }

    private func askLater() {
        guard let next = refusals.next else { return }
        if timer != nil, let timerEnds, timerEnds <= next { return }
        timer?.stop()
        timerEnds = next
        timer = try? core.loop.timer(after: max(next - .now, .milliseconds(10))) { [weak self] in
            guard let self else { return }
            self.timer = nil
            for topic in self.refusals.takeDue() { self.askAgain(topic) }
            self.askLater()
        }
        // Without memory for a timer: with the next refusal, or the next connection.
    }

    /// For what is wanted now: it may have changed since.
    private func askAgain(_ topic: Topic) {
        guard isUp else { return }
        guard let place = places[topic], !place.residents.isEmpty else { return ask(.unsubscribe(topic)) }
        if !place.isActive && place.owed == 0 { ask(.subscribe(topic)) }
    }
}
