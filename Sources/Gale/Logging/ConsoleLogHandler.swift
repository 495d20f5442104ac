internal import GaleCore
public import Logging

/// Prints log lines on stderr in Tornado's form: `[I 260102 15:04:05 gale] 200 GET / (127.0.0.1) 1.23ms`.
///
/// Use it for the whole program with `LoggingSystem.bootstrap(ConsoleLogHandler.init)`.
public struct ConsoleLogHandler: LogHandler {
    /// Added to each line.
    public var metadata: Logger.Metadata = [:]
    /// Lines below it are not printed.
    public var logLevel: Logger.Level = .info
    private let label: String

    /// One for a logger of this name.
    public init(label: String) { self.label = label }

    /// One piece of the metadata.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Prints a line.
    public func log(event: LogEvent) {
        var text = "[\(ConsoleLogHandler.letter(event.level)) \(LocalTime.now.stamp) \(label)] \(event.message)"
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { text += " \(key)=\(value)" }
        Standard.error(text + "\n")
    }

    private static func letter(_ level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "D"
        case .info, .notice: "I"
        case .warning: "W"
        case .error: "E"
        case .critical: "C"
        }
    }
}
