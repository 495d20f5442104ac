internal import Gale
internal import GaleCore

/// The connection for commands: each answer belongs to the oldest command that has none. Loop thread.
final class Commands: LinkOwner, @unchecked Sendable {
    // @unchecked: touched on the thread of its loop alone.
    private struct Patient {
        let command: Command
        let until: ContinuousClock.Instant
    }

    private let options: RedisOptions
    private let loop: ServiceLoop
    private unowned let core: RedisCore
    private lazy var link = Link("commands", to: core.address, options, on: loop, owner: self)
    /// Those that wait for a connection.
    private var patients = Fifo<Patient>()
    private var sent = Fifo<Command>()
    private var bytes = 0
    private var timer: LoopTimer?
    private var isStopped = false

    init(_ core: RedisCore) {
        self.core = core
        options = core.options
        loop = core.loop
    }

    var isUp: Bool { link.isUp }

    func start() { link.start() }

    func stop() {
        isStopped = true
        link.stop()
        timer?.stop()
        timer = nil
        failAll("the server has stopped")
    }

    /// Sends it, or keeps it until there is a connection for as long as `patience` says.
    func send(_ command: Command, patience: Duration? = nil) {
        if isStopped { return command.fail(.away("the server has stopped")) }
        guard sent.count + patients.count < options.maxWaiting,
            bytes + command.bytes.count <= options.maxWaitingBytes
        else { return command.fail(.limit("too many commands wait for Redis")) }
        if isUp && transmit(command) { return }
        let patience = patience ?? options.patience
        if patience <= .zero { return command.fail(.away(link.trouble)) }
        bytes += command.bytes.count
        patients.append(Patient(command: command, until: .now + min(patience, .seconds(1 << 32))))
        expire()
    }

    /// False: the connection has just ended, and the link knows it by now.
    private func transmit(_ command: Command) -> Bool {
        if command.isCancelled { return true }
        guard link.send(command.bytes) else { return false }
        bytes += command.bytes.count
        sent.append(command)
        return true
    }

    /// Lets go of those that wait for a connection and that nobody waits for any more.
    func forgetCancelled() {
        patients.removeAll { patient in
            if patient.command.isCancelled { bytes -= patient.command.bytes.count }
            return patient.command.isCancelled
        }
    }

    /// Ends the patience of those who have none left: all wait equally long, so the first is the first.
    private func expire() {
        if timer != nil || patients.isEmpty || isStopped { return }
        do throws(CoreError) {
            timer = try loop.timer(after: .milliseconds(20)) { [weak self] in
                guard let self else { return }
                self.timer = nil
                let now = ContinuousClock.now
                self.patients.removeAll { patient in
                    guard patient.until <= now else { return false }
                    self.bytes -= patient.command.bytes.count
                    patient.command.fail(.away(self.link.trouble))
                    return true
                }
                self.expire()
            }
        } catch {
            failPatients("no memory for a timer")
        }
    }

    private func failPatients(_ why: String) {
        for patient in patients.popAll() {
            bytes -= patient.command.bytes.count
            patient.command.fail(.away(why))
        }
    }

    private func failAll(_ why: String) {
        let lost = sent.popAll()
        for command in lost { bytes -= command.bytes.count }
        for command in lost { command.fail(.lost(why)) }
        if isStopped { failPatients(why) }
    }

    // MARK: Link

    func linkUp(_ link: Link) {
        for patient in patients.popAll() {
            if transmit(patient.command) { bytes -= patient.command.bytes.count } else { patients.append(patient) }
        }
        core.commandsChanged()
    }

    func linkDown(_ link: Link, _ why: String) {
        failAll(why)
        core.commandsChanged()
    }

    func linkCame(_ value: RedisValue, on link: Link) {
        guard let command = sent.popFirst() else {
            link.fail("Redis sent an answer that nobody asked for")
            return
        }
        bytes -= command.bytes.count
        command.finish(value)
        // It has lost what the greeting told it, or begins anew: so do we.
        if case .error(let text) = value, text.hasPrefix("NOAUTH ") || text.hasPrefix("LOADING ") { link.fail(text) }
    }

    func linkPing(_ link: Link) {
        guard let ping = try? Command(Command.words("PING"), { _ in }) else { return }
        _ = transmit(ping)
    }

    func linkIsOwed(_ link: Link) -> Bool { !sent.isEmpty }
}
