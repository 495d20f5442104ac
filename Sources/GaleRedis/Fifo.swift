/// A queue in an array: both ends cost the same whatever its length.
struct Fifo<Element> {
    private var slots: [Element?] = []
    private var head = 0

    var count: Int { slots.count - head }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ element: Element) { slots.append(element) }

    mutating func popFirst() -> Element? {
        guard head < slots.count else { return nil }
        let element = slots[head]
        slots[head] = nil
        head += 1
        // Half of it is empty: what moves was paid for by as many pops.
        if head > 32 && head * 2 > slots.count {
            slots.removeFirst(head)
            head = 0
        }
        return element
    }

    /// Takes all of them out.
    mutating func popAll() -> [Element] {
        let all = slots[head...].compactMap { $0 }
        slots = []
        head = 0
        return all
    }

    /// Takes out those that `body` wants.
    mutating func removeAll(where body: (Element) -> Bool) {
        slots = slots[head...].filter { $0.map { !body($0) } ?? false }
        head = 0
    }
}
