import Testing

@testable import Gale

@Suite struct QueueTests {
    @Test("QUE-01: first, last, least", arguments: [10, 100]) func orders(_ count: Int) async throws {
        let values = (0..<count).map { ($0 * 7919) % 31 }
        let first = AsyncQueue<Int>()
        let last = AsyncQueue<Int>(order: .last)
        let least = AsyncQueue<(Int, Int)>(order: .priority { $0.0 < $1.0 })
        for (index, value) in values.enumerated() {
            #expect(first.tryPut(value) && last.tryPut(value) && least.tryPut((value, index)))
        }
        #expect(first.count == count && !first.isFull && !first.isEmpty)
        for value in values { #expect(first.tryGet() == value) }
        for value in values.reversed() { #expect(last.tryGet() == value) }
        let sorted = values.enumerated().sorted { ($0.element, $0.offset) < ($1.element, $1.offset) }
        for (index, value) in sorted.map({ ($0.offset, $0.element) }) {
            let element = try #require(least.tryGet())
            #expect(element.0 == value && element.1 == index)
        }
        #expect(first.tryGet() == nil && last.tryGet() == nil && least.tryGet() == nil)
    }

    @Test("QUE-01: a full queue is waited for, in line; an empty one too") func waiting() async throws {
        let (queue, log) = (AsyncQueue<Int>(limit: 2), Recorder())
        try await queue.put(1)
        try await queue.put(2)
        #expect(queue.isFull && !queue.tryPut(3))
        await #expect(throws: TimedOut.self) { try await queue.put(9, for: .milliseconds(5)) }
        let putters = (3...4).map { value in
            Task {
                try await Task.sleep(for: .milliseconds(value * 40))
                try await queue.put(value)
                log.add("\(value)")
            }
        }
        try await Task.sleep(for: .milliseconds(400))
        #expect(log.events.isEmpty && queue.count == 2)
        #expect(try await queue.get() == 1)
        #expect(try await log.wait(for: 1) == ["3"])
        #expect(try await [queue.get(), queue.get(), queue.get()] == [2, 3, 4])
        for putter in putters { try await putter.value }
        await #expect(throws: TimedOut.self) { try await queue.get(for: .milliseconds(5)) }
        let taker = Task { try await queue.get() }
        let cancelled = Task { try await queue.get() }
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        #expect(queue.tryPut(5))
        #expect(try await taker.value == 5 && queue.isEmpty)
    }

    @Test("QUE-01: join waits until all is dealt with") func join() async throws {
        let queue = AsyncQueue<Int>()
        try await queue.join()
        for value in 1...3 { try await queue.put(value) }
        await #expect(throws: TimedOut.self) { try await queue.join(for: .milliseconds(5)) }
        let log = Recorder()
        let worker = Task {
            for try await value in queue {
                log.add("\(value)")
                queue.taskDone()
            }
        }
        try await queue.join()
        #expect(log.events == ["1", "2", "3"])
        queue.close()
        try await worker.value
        await #expect(throws: QueueClosed.self) { try await queue.put(4) }
        await #expect(throws: QueueClosed.self) { try await queue.get() }
        #expect(!queue.tryPut(4))
        queue.taskDone()
    }

    @Test("QUE-01: nothing is lost or doubled, whoever leaves meanwhile") func storm() async throws {
        let queue = AsyncQueue<Int>(limit: 3)
        let (taken, put) = (Recorder(), Recorder())
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<8 {
                group.addTask {
                    for index in 0..<200 {
                        let limit: Duration? = index % 5 == 0 ? .microseconds(index) : nil
                        guard (try? await queue.put(worker * 1000 + index, for: limit)) != nil else { continue }
                        put.add("\(worker * 1000 + index)")
                    }
                }
            }
            for _ in 0..<4 {
                group.addTask {
                    while true {
                        do {
                            let value = try await queue.get(for: .milliseconds(300))
                            taken.add("\(value)")
                        } catch { return }
                    }
                }
            }
        }
        #expect(taken.events.sorted() == put.events.sorted())
        #expect(queue.isEmpty)
    }
}
