import Gale
import GaleCore
import GaleRedis
import GaleTesting
import Logging
import Testing

extension RedisOptions {
    /// Without a line of log, and with the short times of a test.
    static var quick: RedisOptions {
        var options = RedisOptions()
        options.logger = Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() }
        options.longestPause = .milliseconds(100)
        options.settling = .milliseconds(1500)
        return options
    }

    func with(_ change: (inout RedisOptions) -> Void) -> RedisOptions {
        var options = self
        change(&options)
        return options
    }
}

/// Runs a server with these services.
func serving(_ services: any Service..., body: () async throws -> Void) async throws {
    var settings = Settings()
    settings.accessLog = false
    settings.logger = Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() }
    settings.services = services
    try await Application(settings: settings) {}.test { _ in try await body() }
}

struct NotInTime: Error, CustomStringConvertible {
    let description: String
}

/// Waits until it is so, for half a minute at most.
func until(_ what: String, _ isSo: () async throws -> Bool) async throws {
    for _ in 0..<3000 {
        if try await isSo() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    throw NotInTime(description: "not in time: \(what)")
}

/// Things in the order in which they came, from any thread.
final class List<Element: Sendable>: Sendable {
    private let list = Guarded<[Element]>([])

    func add(_ element: Element) { list.withLock { $0.append(element) } }
    var all: [Element] { list.withLock { $0 } }
    var count: Int { list.withLock { $0.count } }
}

/// The error of a call that shall fail with one of Redis'.
func failure(_ body: () async throws -> Void) async throws -> RedisError {
    do {
        try await body()
    } catch let error as RedisError {
        return error
    }
    throw NotInTime(description: "nothing was thrown")
}
