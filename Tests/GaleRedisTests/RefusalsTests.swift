import Testing

@testable import GaleRedis

@Suite struct RefusalsTests {
    private let topic = SubscriptionResident.Topic(name: [1], isPattern: false)
    private let other = SubscriptionResident.Topic(name: [1], isPattern: true)

    @Test("pauses grow, up to the longest, and begin anew with what was taken") func growing() {
        var refusals = Refusals(longestPause: .seconds(1))
        var now = ContinuousClock.now
        #expect(refusals.next == nil)
        for (index, milliseconds) in [50, 100, 200, 400, 800, 1000, 1000].enumerated() {
            let got1 = refusals.add(topic, .server("BUSY x"), at: now)
            #expect(got1 == (index == 0))
            #expect(refusals.next == now + .milliseconds(milliseconds))
            let got2 = refusals.takeDue(at: now)
            #expect(got2 == [])
            now += .milliseconds(milliseconds)
            let got3 = refusals.takeDue(at: now)
            #expect(got3 == [topic])
            let got4 = refusals.takeDue(at: now)
            #expect(got4 == [])
        }
        refusals.remove(topic)
        let got5 = refusals.add(topic, .server("OOM x"), at: now)
        #expect(got5)
        #expect(refusals.next == now + .milliseconds(50))
    }

    @Test("what doesn't pass is asked for rarely") func rarely() {
        var refusals = Refusals(longestPause: .seconds(1))
        let now = ContinuousClock.now
        let got6 = refusals.add(topic, .server("NOPERM x"), at: now)
        #expect(got6)
        let got7 = refusals.add(other, .server("LOADING x"), at: now)
        #expect(got7)
        let got8 = refusals.takeDue(at: now + .seconds(9))
        #expect(got8 == [other])
        #expect(refusals.next == now + .seconds(10))
        refusals.removeAll()
        #expect(refusals.next == nil)
    }
}
