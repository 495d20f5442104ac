/// Where a class keeps one overridable method, found by comparing three of its subclasses' tables: so that a 405
/// can name the methods that a handler class implements (WEB-03).
///
/// Any thread. Where the layout is not known (Darwin) or the search fails, every method counts as overridden.
public struct MethodSlot: Sendable {
    private let index: Int?
    private let original: UInt

    /// `probe` overrides the method and nothing else, `control` nothing at all.
    public init(base: AnyClass, control: AnyClass, probe: AnyClass) {
        let words = ClassTable(base).words
        let differing = words.filter { index in
            let inherited = ClassTable(base)[index]
            return ClassTable(control)[index] == inherited && ClassTable(probe)[index] != inherited
        }
        index = differing.count == 1 ? differing.first : nil
        original = index.map { ClassTable(base)[$0] } ?? 0
    }

    /// Whether the class has another implementation than the base class.
    public func isOverridden(in type: AnyClass) -> Bool {
        guard let index else { return true }
        return ClassTable(type)[index] != original
    }
}

/// The words of a class object. A subclass's begin with those of its superclass.
private struct ClassTable {
    private let base: UnsafeRawPointer

    init(_ type: AnyClass) { base = unsafeBitCast(type, to: UnsafeRawPointer.self) }

    subscript(_ index: Int) -> UInt {
        base.load(fromByteOffset: index * MemoryLayout<UInt>.size, as: UInt.self)
    }

    /// The words that hold methods and field offsets: after kind, superclass, sizes, description, destroyer.
    var words: Range<Int> {
        #if canImport(ObjectiveC)
            return 0..<0
        #else
            guard MemoryLayout<UInt>.size == 8 else { return 0..<0 }
            let size = base.load(fromByteOffset: 32, as: UInt32.self)
            let addressPoint = base.load(fromByteOffset: 36, as: UInt32.self)
            guard size > addressPoint, size < 65536 else { return 0..<0 }
            let count = Int(size - addressPoint) / 8
            return count > 7 ? 7..<count : 0..<0
        #endif
    }
}
