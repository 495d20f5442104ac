/// The elements of a queue, in its order.
struct QueueStore<Element: Sendable>: Sendable {
    private let order: AsyncQueue<Element>.Order
    /// By order: a list from `head`, a stack, or a heap.
    private var elements: [(element: Element, number: UInt64)?] = []
    private var head = 0
    private var number: UInt64 = 0

    init(_ order: AsyncQueue<Element>.Order) { self.order = order }

    var count: Int { elements.count - head }

    mutating func insert(_ element: Element) {
        number += 1
        elements.append((element, number))
        if case .priority(let precedes) = order { rise(precedes) }
    }

    mutating func popFirst() -> Element? {
        if count == 0 { return nil }
        switch order {
        case .first:
            let first = elements[head]
            elements[head] = nil
            head += 1
            if head > 32 && head * 2 > elements.count {
                elements.removeFirst(head)
                head = 0
            }
            return first?.element
        case .last: return elements.removeLast()?.element
        case .priority(let precedes):
            elements.swapAt(0, elements.count - 1)
            let first = elements.removeLast()
            sink(precedes)
            return first?.element
        }
    }

    /// Whether the element at one place comes out before that at another; of equals the older.
    private func isBefore(_ left: Int, _ right: Int, _ precedes: (Element, Element) -> Bool) -> Bool {
        guard let left = elements[left], let right = elements[right] else { return false }
        if precedes(left.element, right.element) { return true }
        return !precedes(right.element, left.element) && left.number < right.number
    }

    private mutating func rise(_ precedes: (Element, Element) -> Bool) {
        var place = elements.count - 1
        while place > 0, isBefore(place, (place - 1) / 2, precedes) {
            elements.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func sink(_ precedes: (Element, Element) -> Bool) {
        var place = 0
        while true {
            var least = place
            for child in [place * 2 + 1, place * 2 + 2] where child < elements.count {
                if isBefore(child, least, precedes) { least = child }
            }
            if least == place { return }
            elements.swapAt(least, place)
            place = least
        }
    }
}
