internal import GaleCore

/// A queue between tasks: who finds it empty, or full, waits in line. Any thread; waiters resume on their own loop
/// (QUE-01).
///
/// ```swift
/// let jobs = AsyncQueue<Job>(limit: 100)
/// try await jobs.put(job)                       // waits while 100 wait
/// for try await job in jobs { ... ; jobs.taskDone() }
/// ```
public final class AsyncQueue<Element: Sendable>: Sendable {
    /// In which order elements come out.
    public enum Order: Sendable {
        /// As they were put in.
        case first
        /// The latest first.
        case last
        /// The least first, by a function that says whether one comes before another; equals as they were put in.
        case priority(@Sendable (Element, Element) -> Bool)
    }

    /// One that waits to take or to put.
    private final class Waiter: @unchecked Sendable {
        // @unchecked: `element` is touched under the queue's lock alone.
        let wakeup = Wakeup()
        var element: Element?

        init(_ element: Element? = nil) { self.element = element }
    }

    private struct State {
        var store: QueueStore<Element>
        var takers = WaitLine<Waiter>()
        var putters = WaitLine<Waiter>()
        var unfinished = 0
        var isClosed = false
    }

    private let limit: Int
    private let state: Guarded<State>
    private let finished = Event()

    /// One that holds at most `limit` elements; nil: as many as come.
    public init(limit: Int? = nil, order: Order = .first) {
        self.limit = limit.map { Swift.max($0, 1) } ?? .max
        state = Guarded(State(store: QueueStore(order)))
        finished.set()
    }

    /// Elements that wait to be taken.
    public var count: Int { state.withLock { $0.store.count } }
    /// Whether there is none.
    public var isEmpty: Bool { count == 0 }
    /// Whether a `put` would wait.
    public var isFull: Bool { count >= limit }

    // MARK: Putting

    /// Puts an element in if there is room now. False: full, or closed.
    public func tryPut(_ element: Element) -> Bool {
        state.withLock { state in
            if state.isClosed { return false }
            return accept(element, &state)
        }
    }

    /// Puts an element in, waiting at most `limit` for room. Throws `TimedOut` after that time, `QueueClosed`, and
    /// `CancellationError`; then the element is not in.
    public func put(_ element: Element, for limit: Duration? = nil) async throws {
        let waiter = Waiter(element)
        let ticket: UInt64? = try state.withLock { state in
            if state.isClosed { throw QueueClosed() }
            return accept(element, &state) ? nil : state.putters.join(waiter)
        }
        guard let ticket else { return }
        defer { state.withLock { $0.putters.leave(ticket) } }
        if try await Worker.outcome(of: waiter.wakeup, atMost: limit) { return }
        try Task.checkCancellation()
        throw state.withLock { $0.isClosed } ? QueueClosed() : TimedOut()
    }

    /// To the first who waits for one, else into the store; false when that is full.
    private func accept(_ element: Element, _ state: inout State) -> Bool {
        while let taker = state.takers.popFirst() {
            taker.element = element
            if taker.wakeup.wake(true) {
                counted(&state)
                return true
            }
        }
        if state.store.count >= limit { return false }
        state.store.insert(element)
        counted(&state)
        return true
    }

    private func counted(_ state: inout State) {
        state.unfinished += 1
        finished.clear()
    }

    // MARK: Taking

    /// Takes an element if there is one now.
    public func tryGet() -> Element? { state.withLock { take(&$0) } }

    /// Takes an element, waiting at most `limit` for one. Throws `TimedOut` after that time, `QueueClosed` when it is
    /// empty and closed, and `CancellationError`.
    public func get(for limit: Duration? = nil) async throws -> Element {
        let waiter = Waiter()
        let (element, ticket) = try state.withLock { state -> (Element?, UInt64) in
            if let element = take(&state) { return (element, 0) }
            if state.isClosed { throw QueueClosed() }
            return (nil, state.takers.join(waiter))
        }
        if let element { return element }
        defer { state.withLock { $0.takers.leave(ticket) } }
        if try await Worker.outcome(of: waiter.wakeup, atMost: limit),
            let element = state.withLock({ _ in waiter.element })
        {
            return element
        }
        try Task.checkCancellation()
        throw state.withLock { $0.isClosed } ? QueueClosed() : TimedOut()
    }

    /// What comes first, and into its place what the first putter in line has.
    private func take(_ state: inout State) -> Element? {
        guard let element = state.store.popFirst() else { return nil }
        while let putter = state.putters.popFirst() {
            guard putter.wakeup.wake(true), let waiting = putter.element else { continue }
            state.store.insert(waiting)
            counted(&state)
            break
        }
        return element
    }

    // MARK: The end

    /// An element that was taken is dealt with: `join` waits for all of them. More calls than elements do nothing.
    public func taskDone() {
        state.withLock { state in
            if state.unfinished == 0 { return }
            state.unfinished -= 1
            if state.unfinished == 0 { finished.set() }
        }
    }

    /// Waits until every element that was put in is dealt with, at most `limit`. Throws `TimedOut`, `CancellationError`.
    public func join(for limit: Duration? = nil) async throws {
        if try await !finished.wait(for: limit) { throw TimedOut() }
    }

    /// Nothing more goes in; what is in can still be taken. Who waits is told with `QueueClosed`.
    public func close() {
        state.withLock { state in
            state.isClosed = true
            while let taker = state.takers.popFirst() { taker.wakeup.wake(false) }
            while let putter = state.putters.popFirst() { putter.wakeup.wake(false) }
        }
    }
}

/// The queue was closed: nothing goes in, and nothing is left.
public struct QueueClosed: Error, Sendable, Equatable {
    /// Made to be thrown.
    public init() {}
}

extension AsyncQueue: AsyncSequence {
    /// Takes element after element until the queue is closed and empty.
    public struct Iterator: AsyncIteratorProtocol {
        let queue: AsyncQueue

        /// The next element; nil at the end. Throws `CancellationError`.
        public func next() async throws -> Element? {
            do { return try await queue.get() } catch is QueueClosed { return nil }
        }
    }

    /// An iterator; several share the elements.
    public func makeAsyncIterator() -> Iterator { Iterator(queue: self) }
}
