import Testing

@testable import Gale

private protocol Line: Sendable { var waiting: Int { get } }
extension Condition: Line {}
extension AsyncSemaphore: Line {}

@Suite struct LockTests {
    /// Tasks that begin to wait one after the other.
    private static func lineUp(
        _ count: Int, _ line: any Line, _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws -> [Task<Void, any Error>] {
        var tasks: [Task<Void, any Error>] = []
        for index in 0..<count {
            tasks.append(Task { try await body(index) })
            while line.waiting <= index { try await Task.sleep(for: .milliseconds(1)) }
        }
        return tasks
    }

    @Test("waiting for longer than any clock counts", arguments: [false, true])
    func endless(_ isSet: Bool) async throws {
        let event = Event()
        let waiting = Task { try await event.wait(for: .seconds(Int64.max)) }
        try await Task.sleep(for: .milliseconds(50))
        if isSet {
            event.set()
            #expect(try await waiting.value)
        } else {
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
        }
    }

    @Test("LCK-01: notify wakes in the order of arrival") func condition() async throws {
        let (condition, log) = (Condition(), Recorder())
        let tasks = try await Self.lineUp(5, condition) { index in
            log.add("\(index) \(try await condition.wait())")
        }
        tasks[1].cancel()
        while condition.waiting > 4 { try await Task.sleep(for: .milliseconds(1)) }
        condition.notify(2)
        #expect(try await log.wait(for: 2).sorted() == ["0 true", "2 true"])
        condition.notifyAll()
        #expect(try await log.wait(for: 4).sorted() == ["0 true", "2 true", "3 true", "4 true"])
        #expect(condition.waiting == 0 && condition.generation == 2)
        await #expect(throws: CancellationError.self) { try await tasks[1].value }
    }

    @Test("LCK-01: an event stays set until it is cleared") func event() async throws {
        let (event, log) = (Event(), Recorder())
        #expect(try await !event.wait(for: .milliseconds(5)) && !event.isSet)
        let waiter = Task { log.add("\(try await event.wait())") }
        event.set()
        try await waiter.value
        #expect(try await event.wait() && event.isSet && log.events == ["true"])
        event.clear()
        #expect(try await !event.wait(for: .milliseconds(5)))
    }

    @Test("LCK-01: permits go to the first in line, and none is lost to those who leave") func semaphore() async throws
    {
        let (semaphore, log) = (AsyncSemaphore(1), Recorder())
        try await semaphore.acquire()
        #expect(!semaphore.tryAcquire())
        await #expect(throws: TimedOut.self) { try await semaphore.acquire(for: .milliseconds(5)) }
        let tasks = try await Self.lineUp(3, semaphore) { index in
            try await semaphore.acquire()
            log.add("\(index)")
        }
        tasks[0].cancel()
        await #expect(throws: CancellationError.self) { try await tasks[0].value }
        semaphore.release()
        // It was handed over: nobody can take it on the way.
        #expect(!semaphore.tryAcquire())
        #expect(try await log.wait(for: 1) == ["1"])
        semaphore.release()
        #expect(try await log.wait(for: 2) == ["1", "2"])
        semaphore.release()
        semaphore.release()
        #expect(semaphore.available == 1 && semaphore.waiting == 0)
        let unbounded = AsyncSemaphore(0, isBounded: false)
        unbounded.release()
        unbounded.release()
        #expect(unbounded.available == 2)
    }

    @Test("LCK-01: one at a time, over await, with timeouts and cancellations all the while") func lock() async throws {
        let (lock, log) = (AsyncLock(), Recorder())
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<200 {
                group.addTask {
                    let limit: Duration? = index % 3 == 0 ? .milliseconds(index % 7) : nil
                    _ = try? await lock.withLock(for: limit) {
                        log.add("in")
                        try? await Task.sleep(for: .microseconds(50))
                        log.add("out")
                    }
                }
            }
        }
        let events = log.events
        #expect(events.count >= 133 * 2 && !lock.isLocked && lock.waiting == 0)
        #expect(events.indices.allSatisfy { events[$0] == ($0 % 2 == 0 ? "in" : "out") })
    }

    @Test("places of those who left are used again") func line() {
        var line = WaitLine<Int>()
        var tickets: [UInt64] = []
        for index in 0..<10_000 {
            tickets.append(line.join(index))
            if index % 4 != 0 { line.leave(tickets[index]) }
        }
        line.leave(tickets[1])
        line.leave(99_999)
        #expect(line.count == 2500)
        #expect((0..<2500).allSatisfy { line.popFirst() == $0 * 4 } && line.popFirst() == nil && line.count == 0)
        line.leave(tickets[0])
        #expect(line.count == 0)
    }
}
