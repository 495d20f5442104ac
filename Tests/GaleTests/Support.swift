import Gale
import GaleCore
import Logging

extension Settings {
    /// Without a line of log.
    static var quiet: Settings {
        var settings = Settings()
        settings.accessLog = false
        settings.logger = Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() }
        return settings
    }

    /// With the lines in a list.
    static func recording(_ log: Recorder) -> Settings {
        var settings = Settings()
        settings.logger = Logger(label: "test") { _ in RecordingHandler(log: log) }
        return settings
    }
}

/// Events in order, from any thread.
final class Recorder: Sendable {
    private let list = GaleCore.Guarded<[String]>([])

    func add(_ event: String) { list.withLock { $0.append(event) } }
    var events: [String] { list.withLock { $0 } }

    /// Waits until there are so many.
    func wait(for count: Int) async throws -> [String] {
        for _ in 0..<500 {
            if events.count >= count { return events }
            try await Task.sleep(for: .milliseconds(10))
        }
        return events
    }
}

struct RecordingHandler: LogHandler {
    let log: Recorder
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .trace

    init(log: Recorder) { self.log = log }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { log.add("\(event.level): \(event.message)") }
}
