internal import Synchronization

/// Numbers for groups.
enum GroupIdentity {
    private static let last = Atomic<Int>(0)

    static func next() -> Int { last.add(1, ordering: .relaxed).newValue }
}
