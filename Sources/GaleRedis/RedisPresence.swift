internal import GaleCore

/// Who is there, over all processes: each says who is with it, and one that dies is forgotten after
/// `options.presenceLifetime`.
///
/// ```swift
/// let people = RedisPresence("people", on: redis) { names in topic.publish(names.joined(separator: ", ")) }
/// people.enter("ada")
/// ```
///
/// Names are the same when their bytes are. Any thread. It ends when nobody holds it: then its own people leave.
public final class RedisPresence: Sendable {
    /// The name of the sorted set, in the database of the `Redis`. Its channel begins with "gale-presence:".
    public let name: String
    private let redis: Redis
    private let presence: PresenceResident

    /// The presence of this name; begins at once, also before the server starts. `changed` is called on the loop's
    /// thread with who is there, sorted, when that has become different; short. Not with more than 10,000.
    public init(_ name: String, on redis: Redis, changed: @escaping @Sendable ([String]) -> Void) {
        self.name = name
        self.redis = redis
        presence = PresenceResident(name, database: redis.address.database, options: redis.options, changed)
        redis.add(presence)
    }

    /// Somebody is here. Who enters twice must leave twice.
    public func enter(_ person: String) {
        presence.enter(person)
        let presence = presence
        redis.post { core in presence.refresh(core) }
    }

    /// Somebody has left. Nothing happens when they weren't here.
    public func leave(_ person: String) {
        presence.leave(person)
        let presence = presence
        redis.post { core in presence.refresh(core) }
    }

    /// Who is there, sorted, as last heard of Redis, with those who are here.
    public var people: [String] { presence.people }

    deinit { redis.remove(presence) }
}
