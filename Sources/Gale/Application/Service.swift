public import GaleCore

/// Something that lives as long as the server, on its loop: a connection to Redis, a pool of a database, a client.
///
/// Given to `Settings.services`. All are started in their order before the first worker takes requests, and stopped in
/// the opposite one when that worker has no connection left.
///
/// ```swift
/// final class Clock: Service {
///     func start(on loop: ServiceLoop) { ... }
///     func stop() { ... }
/// }
/// settings.services = [Clock()]
/// ```
public protocol Service: AnyObject, Sendable {
    /// The server starts. On the loop's thread; short, since requests wait for it. Keep the loop to come back to it
    /// from other threads.
    func start(on loop: ServiceLoop)

    /// The server has stopped, and the loop ends when this returns: close what is attached to it. On its thread, once
    /// for each `start`.
    func stop()
}

/// The services of one server, from their start to their stop. Loop thread.
final class RunningServices: Sendable {
    private let loop: ServiceLoop
    private let services: [any Service]

    init(_ services: [any Service], on worker: Worker) {
        loop = ServiceLoop(worker)
        self.services = services
        for service in services { service.start(on: loop) }
    }

    func stop() {
        for service in services.reversed() { service.stop() }
        loop.close()
    }
}
