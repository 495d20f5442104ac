import Testing

@testable import GaleRedis

@Suite struct TopicFeedsTests {
    @Test("one for each name, byte for byte, until its last holder has gone") func holders() {
        var feeds = TopicFeeds()
        let (first, second, other) = (feeds.hold("e\u{301}"), feeds.hold("e\u{301}"), feeds.hold("\u{e9}"))
        #expect(first === second && first !== other)
        #expect(feeds.count == 2)
        var last = feeds.letGo(of: "e\u{301}")
        #expect(last == nil)
        last = feeds.letGo(of: "e\u{301}")
        #expect(last === first)
        last = feeds.letGo(of: "e\u{301}")
        #expect(last == nil)
        #expect(feeds.count == 1)
        let anew = feeds.hold("e\u{301}")
        #expect(anew !== first)
    }
}
