internal import GaleCore

/// Who waits, in order of arrival, each with what it waits with; anyone may leave in logarithmic time.
struct WaitLine<Waiter: Sendable>: Sendable {
    private var places: [(ticket: UInt64, waiter: Waiter?)] = []
    private var head = 0
    private var next: UInt64 = 0
    /// How many wait.
    private(set) var count = 0

    /// Lines up. The ticket is for leaving.
    mutating func join(_ waiter: Waiter) -> UInt64 {
        next += 1
        places.append((next, waiter))
        count += 1
        return next
    }

    /// Leaves, if the ticket is still in the line.
    mutating func leave(_ ticket: UInt64) {
        var (low, high) = (head, places.count)
        while low < high {
            let middle = (low + high) / 2
            if places[middle].ticket < ticket { low = middle + 1 } else { high = middle }
        }
        guard low < places.count, places[low].ticket == ticket, places[low].waiter != nil else { return }
        places[low].waiter = nil
        count -= 1
        tidy()
    }

    /// The first, who leaves the line.
    mutating func popFirst() -> Waiter? {
        while head < places.count {
            let waiter = places[head].waiter
            places[head].waiter = nil
            head += 1
            if let waiter {
                count -= 1
                tidy()
                return waiter
            }
        }
        tidy()
        return nil
    }

    /// Gives the places of those who left back, when they are the larger part.
    private mutating func tidy() {
        if places.count < 16 || count * 2 > places.count { return }
        places = places[head...].filter { $0.waiter != nil }
        head = 0
    }
}

/// What a wait that has a limit throws when the time is over.
public struct TimedOut: Error, Sendable, Equatable {
    /// Made to be thrown.
    public init() {}
}
