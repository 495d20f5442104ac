public import Gale
internal import GaleCore
internal import Logging

/// A Redis server that this process keeps connected to: commands, channels, and what is built on them (`RedisTopic`,
/// `RedisLog`, `RedisPresence`). Any thread.
///
/// ```swift
/// let redis = try Redis("redis://127.0.0.1:6379")
/// var settings = Settings()
/// settings.services = [redis]
/// ```
///
/// It lives on the loop of the server's first worker, with one connection for commands and one for channels, and no
/// thread. When Redis goes away it is looked for until it is back, in pauses that grow to `longestPause`; then all
/// subscriptions are made again. Give one `Redis` to one server at a time.
public final class Redis: Service, Sendable {
    let options: RedisOptions
    let address: RedisAddress
    let shared = Guarded(Shared())
    /// The subscriptions of topics, by name.
    let feeds = Guarded(TopicFeeds())

    struct Shared {
        var core: RedisCore?
        var isConnected = false
        var listeners: [@Sendable (Bool) -> Void] = []
        /// What is called on each start, so that it stands whenever the server runs.
        var residents: [ObjectIdentifier: any RedisResident] = [:]
    }

    /// One at `url`: `redis://[USER:PASSWORD@]HOST[:PORT][/DB]` or `unix:PATH[?db=N]`. Nothing is connected before the
    /// server starts. Throws `RedisError.url` with a sentence for anything else.
    public init(_ url: String, _ options: RedisOptions = .init()) throws(RedisError) {
        address = try RedisAddress(url)
        self.options = options
    }

    /// Whether both connections stand, and Redis has accepted them. A single subscription may still be refused, and is
    /// asked for again then: `RedisSubscription.isActive`, `RedisTopic.isActive` and `RedisLog.caughtUp` tell.
    public var isConnected: Bool { shared.withLock { $0.isConnected } }

    /// Calls `body` with each change of `isConnected`, on the loop's thread; short. For good: there is no way back.
    public func onChange(_ body: @escaping @Sendable (_ isConnected: Bool) -> Void) {
        shared.withLock { $0.listeners.append(body) }
    }

    // MARK: Service

    /// Begins to connect. Called by the server.
    public func start(on loop: ServiceLoop) {
        let core = RedisCore(self, on: loop)
        let residents: [any RedisResident]? = shared.withLock { shared in
            if shared.core != nil { return nil }
            shared.core = core
            return Array(shared.residents.values)
        }
        if let residents {
            core.start(residents)
        } else {
            options.logger.error("one Redis serves one server at a time: a second one has none")
        }
    }

    /// Ends the connections; what waits fails. Called by the server.
    public func stop() {
        let core = shared.withLock { shared in
            // The server that came second has nothing here.
            guard let core = shared.core, core.loop.isCurrent else { return nil as RedisCore? }
            shared.core = nil
            return core
        }
        core?.stop()
    }

    /// Runs `body` on the loop. False when the server doesn't run.
    @discardableResult
    func post(_ body: @escaping @Sendable (RedisCore) -> Void) -> Bool {
        guard let core = shared.withLock({ $0.core }) else { return false }
        return core.loop.post { body(core) }
    }

    /// From now on, on each server, until `remove`.
    func add(_ resident: any RedisResident) {
        shared.withLock { $0.residents[ObjectIdentifier(resident)] = resident }
        post { $0.add(resident) }
    }

    func remove(_ resident: any RedisResident) {
        shared.withLock { $0.residents[ObjectIdentifier(resident)] = nil }
        post { $0.remove(resident) }
    }

    func changed(_ isConnected: Bool) {
        let listeners = shared.withLock { shared in
            defer { shared.isConnected = isConnected }
            return shared.isConnected == isConnected ? [] : shared.listeners
        }
        for body in listeners { body(isConnected) }
    }
}
