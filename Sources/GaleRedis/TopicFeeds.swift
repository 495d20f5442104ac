internal import Gale
internal import GaleCore

/// The subscriptions of all `RedisTopic`s on a `Redis`, one for each name: with two, each message would reach the
/// sockets twice. Each ends with the last topic of its name.
struct TopicFeeds: Sendable {
    private struct Feed: Sendable {
        let resident: SubscriptionResident
        var holders = 0
    }

    private var feeds: [ByteString: Feed] = [:]

    var count: Int { feeds.count }

    /// That of the name, for one holder more: the one that is there, or a new one.
    mutating func hold(_ name: String) -> SubscriptionResident {
        let key = ByteString(name)
        var feed = feeds[key] ?? Feed(resident: TopicFeeds.make(name))
        feed.holders += 1
        feeds[key] = feed
        return feed.resident
    }

    /// For one holder less; gives the one that nobody holds any more.
    mutating func letGo(of name: String) -> SubscriptionResident? {
        let key = ByteString(name)
        guard var feed = feeds[key] else { return nil }
        feed.holders -= 1
        feeds[key] = feed.holders > 0 ? feed : nil
        return feed.holders > 0 ? nil : feed.resident
    }

    private static func make(_ name: String) -> SubscriptionResident {
        let topic = Topic(name)
        let channel = SubscriptionResident.Topic(name: Array(name.utf8), isPattern: false)
        return SubscriptionResident(topic: channel) { message in
            // Text and bytes are told apart by the first byte, which is the topic's own.
            switch message.bytes.first {
            case UInt8(ascii: "t"): topic.publish(String(decoding: message.bytes.dropFirst(), as: UTF8.self))
            case UInt8(ascii: "b"): topic.publish(Array(message.bytes.dropFirst()))
            default: break
            }
        }
    }
}
