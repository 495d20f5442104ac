import Testing

@testable import GaleRedis

@Suite struct StraysTests {
    @Test("a line at once, and then one in a while with the number of all") func lines() {
        var strays = Strays()
        let start = ContinuousClock.now
        #expect(strays.add(at: start) == 1)
        for second in 1..<60 { #expect(strays.add(at: start + .seconds(second)) == nil) }
        #expect(strays.add(at: start + Strays.pause) == 60)
        #expect(strays.add(at: start + Strays.pause) == nil)
    }
}
