import Testing

@testable import GaleCore

/// The loop of clients that have none of their own (WS-19).
@Suite struct ClientLoopTests {
    @Test func itRunsWhileThereIsALease() async throws {
        let loop = ClientLoop()
        #expect(!loop.isRunning)
        var first: ClientLoop.Lease? = try await loop.lease()
        var second: ClientLoop.Lease? = try await loop.lease()
        #expect(first?.worker === second?.worker)
        let executor = try #require(first?.worker.executor)
        let isThere = await withTaskExecutorPreference(executor) { Worker.current != nil }
        #expect(isThere && Worker.current == nil)
        first = nil
        #expect(loop.isRunning)
        weak let worker = second?.worker
        second = nil
        #expect(!loop.isRunning)
        // Its thread ends, and all that it was made of goes.
        for _ in 0..<500 where worker != nil { try await Task.sleep(for: .milliseconds(10)) }
        #expect(worker == nil)
        let third = try await loop.lease()
        #expect(loop.isRunning && third.worker.isCurrent == false)
    }

    @Test func manyAtOnceShareOne() async throws {
        let loop = ClientLoop()
        for _ in 0..<20 {
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let lease = try await loop.lease()
                        return await withTaskExecutorPreference(lease.worker.executor) { lease.worker.isCurrent }
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
        }
        #expect(!loop.isRunning)
    }
}
