internal import Gale
internal import GaleCore

/// What stands on a `Redis` for as long as its owner holds it: on whatever server, over all connections. The calls come
/// on the loop.
protocol RedisResident: AnyObject, Sendable {
    /// The server has started, or this has come to one that runs.
    func join(_ core: RedisCore)
    /// Its owner has let it go.
    func leave(_ core: RedisCore)
    /// The connection for commands stands, or is gone.
    func commandsChanged(_ core: RedisCore)
    /// The server stops: the last moment to send something, whose answer doesn't come.
    func stopping(_ core: RedisCore)
    /// The server has stopped.
    func stopped()
}

extension RedisResident {
    func commandsChanged(_ core: RedisCore) {}
    func stopping(_ core: RedisCore) {}
    func stopped() {}
}

/// A `Redis` while a server runs: its two connections and what stands on them. Loop thread.
final class RedisCore: @unchecked Sendable {
    // @unchecked: touched on the thread of its loop alone.
    let loop: ServiceLoop
    let options: RedisOptions
    private let redis: Redis
    var address: RedisAddress { redis.address }
    private var residents: [ObjectIdentifier: any RedisResident] = [:]
    private(set) lazy var commands = Commands(self)
    private(set) lazy var channels = Channels(self)

    init(_ redis: Redis, on loop: ServiceLoop) {
        self.redis = redis
        self.loop = loop
        options = redis.options
    }

    func start(_ residents: [any RedisResident]) {
        commands.start()
        channels.start()
        for resident in residents { add(resident) }
    }

    func stop() {
        for resident in residents.values { resident.stopping(self) }
        commands.stop()
        channels.stop()
        for resident in residents.values { resident.stopped() }
        residents = [:]
        redis.changed(false)
    }

    func add(_ resident: any RedisResident) {
        if residents.updateValue(resident, forKey: ObjectIdentifier(resident)) == nil { resident.join(self) }
    }

    func remove(_ resident: any RedisResident) {
        if residents.removeValue(forKey: ObjectIdentifier(resident)) != nil { resident.leave(self) }
    }

    func commandsChanged() {
        for resident in residents.values { resident.commandsChanged(self) }
        connectionChanged()
    }

    /// A connection came or went.
    func connectionChanged() { redis.changed(commands.isUp && channels.isUp) }
}
