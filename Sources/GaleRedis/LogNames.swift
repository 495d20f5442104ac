/// What stands in Redis for a log: its stream under its own name, and the rest under a prefix that no log has.
///
/// Names come from users, and so do keys: no name may mean what another has beside it. A channel is of the whole
/// server, so it names the database.
struct LogNames: Sendable {
    static let prefix = "gale-log:"

    let name: String
    let database: Int

    /// False: it would be mistaken for what is kept for another log.
    var isFree: Bool { !Array(name.utf8).starts(with: LogNames.prefix.utf8) }

    var stream: [UInt8] { Array(name.utf8) }
    var epoch: [UInt8] { Array((LogNames.prefix + "epoch:" + name).utf8) }
    var settling: [UInt8] { Array((LogNames.prefix + "settling:" + name).utf8) }
    var channel: [UInt8] { Array((LogNames.prefix + "entries:\(database):" + name).utf8) }

    /// With the length of the name, so that it is clear where that ends.
    func mark(of key: String) -> [UInt8] {
        Array((LogNames.prefix + "key:\(name.utf8.count):" + name + ":" + key).utf8)
    }
}
