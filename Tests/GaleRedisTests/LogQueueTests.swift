import Testing

@testable import GaleRedis

@Suite struct LogQueueTests {
    @Test("bounded by count and bytes; batches from the front") func bounds() {
        var queue = LogQueue(maxCount: 3, maxBytes: 20)
        let entry = { (text: String) in WaitingEntry(text, key: "k") }
        #expect(queue.add(entry("x")) == .closed)
        let opened = [queue.open(), queue.open()]
        #expect(opened == [true, false])
        let (a, b, c) = (entry("aaaa"), entry("bbbb"), entry("cccc"))
        for one in [a, b, c] { #expect(queue.add(one) == nil) }
        guard case .limit = queue.add(entry("")) else {
            Issue.record("no limit")
            return
        }
        #expect(queue.batch(count: 2, bytes: 100).map(\.text) == ["aaaa", "bbbb"])
        #expect(queue.batch(count: 9, bytes: 10).map(\.text) == ["aaaa", "bbbb"])
        // One goes alone, however large.
        #expect(queue.batch(count: 9, bytes: 1).map(\.text) == ["aaaa"])
        b.answer.finish(.failure(CancellationError()))
        queue.removeFinished()
        #expect(queue.count == 2)
        guard case .limit = queue.add(entry("0123456789")) else {
            Issue.record("no limit")
            return
        }
        #expect(queue.add(entry("012345678")) == nil)
        queue.isStopped = true
        #expect(queue.add(entry("")) == .away("the server has stopped"))
        #expect(queue.close().map(\.text) == ["aaaa", "cccc", "012345678"])
        #expect(queue.count == 0)
    }

    @Test("a queue in an array keeps its order") func fifo() {
        var fifo = Fifo<Int>()
        var (next, last) = (0, 0)
        for round in 0..<1000 {
            for _ in 0..<(round % 7) {
                fifo.append(last)
                last += 1
            }
            for _ in 0..<(round % 5) where !fifo.isEmpty {
                #expect(fifo.popFirst() == next)
                next += 1
            }
            #expect(fifo.count == last - next)
        }
        fifo.removeAll { $0 % 2 == 0 }
        #expect(fifo.popAll() == (next..<last).filter { $0 % 2 == 1 })
        #expect(fifo.popFirst() == nil)
    }
}
