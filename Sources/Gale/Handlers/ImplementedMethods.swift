internal import GaleCore

/// Finds out which of the method functions a handler class overrides.
enum ImplementedMethods {
    static func of(_ type: RequestHandler.Type) -> MethodSet {
        var set = MethodSet()
        for (method, slot) in slots where slot.isOverridden(in: type) { set.insert(method) }
        return set
    }

    /// Whether it is worth to call `prepare`.
    static func hasPrepare(_ type: RequestHandler.Type) -> Bool { prepareSlot.isOverridden(in: type) }

    private static let prepareSlot = slot(Prepare.self)

    private static let slots: [(Method, MethodSlot)] = [
        (.get, slot(Get.self)), (.head, slot(Head.self)), (.post, slot(Post.self)), (.put, slot(Put.self)),
        (.patch, slot(Patch.self)), (.delete, slot(Delete.self)), (.options, slot(Options.self)),
    ]

    private static func slot(_ probe: RequestHandler.Type) -> MethodSlot {
        MethodSlot(base: RequestHandler.self, control: Control.self, probe: probe)
    }

    // Each differs from RequestHandler in one function; none is ever instantiated.
    private final class Control: RequestHandler {}
    private final class Prepare: RequestHandler { override func prepare() async throws {} }
    private final class Get: RequestHandler { override func get() async throws {} }
    private final class Head: RequestHandler { override func head() async throws {} }
    private final class Post: RequestHandler { override func post() async throws {} }
    private final class Put: RequestHandler { override func put() async throws {} }
    private final class Patch: RequestHandler { override func patch() async throws {} }
    private final class Delete: RequestHandler { override func delete() async throws {} }
    private final class Options: RequestHandler { override func options() async throws {} }
}
