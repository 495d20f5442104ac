import Testing

@testable import GaleRedis

@Suite struct LogNamesTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test("what is kept for a log, by name") func names() {
        let names = LogNames(name: "a:é", database: 3)
        #expect(text(names.stream) == "a:é")
        #expect(text(names.epoch) == "gale-log:epoch:a:é")
        #expect(text(names.settling) == "gale-log:settling:a:é")
        #expect(text(names.channel) == "gale-log:entries:3:a:é")
        #expect(text(names.mark(of: "k")) == "gale-log:key:4:a:é:k")
        #expect(names.isFree)
        #expect(!LogNames(name: "gale-log:epoch:a", database: 0).isFree)
    }

    @Test("no two logs, keys or databases have one name") func unambiguous() {
        let all = ["a", "a:b", "a:settling", "a:epoch", "a:key:k", ":", "1:a", "e\u{301}", "\u{e9}"]
        var met: Set<[UInt8]> = []
        for name in all {
            let names = LogNames(name: name, database: 0)
            for bytes in [names.stream, names.epoch, names.settling] { #expect(met.insert(bytes).inserted) }
            for key in all { #expect(met.insert(names.mark(of: key)).inserted) }
        }
        var channels: Set<[UInt8]> = []
        for name in all {
            for database in [0, 1, 10] {
                #expect(channels.insert(LogNames(name: name, database: database).channel).inserted)
            }
        }
    }
}
