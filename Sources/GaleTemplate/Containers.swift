/// A list of template values.
///
/// The depth of nesting is kept with the elements, so that a template which wraps a value in a list a million
/// times meets a bound at once: freeing or printing such a value would otherwise recurse without one.
public struct TemplateList: Sendable, ExpressibleByArrayLiteral {
    /// The values in order.
    public let elements: [TemplateValue]
    let nesting: Int

    /// A list of these values.
    public init(_ elements: [TemplateValue]) {
        self.elements = elements
        var deepest = 0
        for element in elements { deepest = max(deepest, element.nesting) }
        nesting = deepest + 1
    }

    /// A list of these values.
    public init(arrayLiteral elements: TemplateValue...) { self.init(elements) }

    /// Whether there are none.
    public var isEmpty: Bool { elements.isEmpty }
    /// How many there are.
    public var count: Int { elements.count }
}

/// A map from strings to template values. It keeps the order of insertion; a map made from a Swift dictionary,
/// which has none, is ordered by key, so that a render is the same every time.
public struct TemplateMap: Sendable, ExpressibleByDictionaryLiteral {
    /// The storage is a reference, because a `TemplateValue` should stay small.
    private final class Storage: Sendable {
        let values: [String: TemplateValue]
        let keys: [String]?
        let nesting: Int

        init(values: [String: TemplateValue], keys: [String]?) {
            self.values = values
            self.keys = keys
            var deepest = 0
            for value in values.values { deepest = max(deepest, value.nesting) }
            nesting = deepest + 1
        }
    }

    private let storage: Storage

    /// A map with the content of a dictionary, ordered by key.
    public init(_ values: [String: TemplateValue]) { storage = Storage(values: values, keys: nil) }

    /// A map with the pairs in their order; of two equal keys the later value wins, in the place of the first.
    public init(pairs: [(String, TemplateValue)]) {
        var values: [String: TemplateValue] = [:]
        var keys: [String] = []
        values.reserveCapacity(pairs.count)
        keys.reserveCapacity(pairs.count)
        for (key, value) in pairs where values.updateValue(value, forKey: key) == nil { keys.append(key) }
        storage = Storage(values: values, keys: keys)
    }

    /// A map with the pairs in their order.
    public init(dictionaryLiteral elements: (String, TemplateValue)...) { self.init(pairs: elements) }

    /// The value of a key.
    public subscript(key: String) -> TemplateValue? { storage.values[key] }
    /// The keys in order. Sorts when the map came from a dictionary.
    public var keys: [String] { storage.keys ?? storage.values.keys.sorted() }
    /// Whether there are none.
    public var isEmpty: Bool { storage.values.isEmpty }
    /// How many keys there are.
    public var count: Int { storage.values.count }
    var nesting: Int { storage.nesting }
}
