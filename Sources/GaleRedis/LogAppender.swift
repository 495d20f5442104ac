internal import Gale
internal import GaleCore
internal import Logging

/// Sends what waits to be appended to a log: one call at a time, so that the order is kept. Loop thread.
///
/// An entry leaves the queue when its answer has come. A call whose answer was lost is sent again, in the same order,
/// and the keys tell Redis which of it was done. Nothing is sent before the log has been read on this connection: then
/// this process has put back what it has, and ids go on after all it has seen.
final class LogAppender {
    private unowned let log: LogResident
    private var isSending = false
    private var pause: LoopTimer?

    private static let maxCount = 64
    private static let maxBytes = 256 << 10
    private static let retryPause = Duration.milliseconds(100)

    init(_ log: LogResident) { self.log = log }

    func stop() {
        pause?.stop()
        pause = nil
    }

    /// Sends the oldest, if nothing is in the way.
    func flush() {
        guard let core = log.core, log.isFollowing, core.commands.isUp, !isSending, pause == nil else { return }
        let batch = nextBatch()
        if batch.isEmpty { return }
        isSending = true
        do throws(RedisError) {
            let sender = Sender(self)
            let command = try Command(words(for: batch)) { result in sender.appender?.answered(batch, result) }
            core.commands.send(command, patience: .zero)
        } catch {
            answered(batch, .failure(error))
        }
    }

    /// Those that aren't in the log already.
    private func nextBatch() -> [WaitingEntry] {
        while true {
            let batch = log.queue.withLock { queue in
                queue.removeFinished()
                return queue.batch(count: LogAppender.maxCount, bytes: LogAppender.maxBytes)
            }
            let known = log.recent.withLock { recent in
                batch.compactMap { waiting in recent.entry(under: waiting.key).map { (waiting, $0) } }
            }
            if known.isEmpty { return batch }
            for (waiting, entry) in known { waiting.answer.finish(.success(entry)) }
        }
    }

    private func words(for batch: [WaitingEntry]) -> [[UInt8]] {
        let lifetime = max(log.options.keyLifetime.milliseconds, 1)
        var words = [
            Array("EVAL".utf8), Array(LogScripts.append.utf8), Array(String(3 + batch.count).utf8),
            log.names.stream, log.names.epoch, log.names.settling,
        ]
        for entry in batch { words.append(log.names.mark(of: entry.key)) }
        words += [
            log.names.channel, log.keepingWord, Array(String(lifetime).utf8), log.expiryWord, Array(log.seen.text.utf8),
        ]
        for entry in batch { words += [Array(entry.key.utf8), Array(entry.text.utf8)] }
        return words
    }

    private func answered(_ batch: [WaitingEntry], _ result: Result<RedisValue, RedisError>) {
        isSending = false
        switch result {
        case .success(let value): took(batch, value)
        case .failure(.away), .failure(.lost): break  // it is read again, and then sent again
        case .failure(.limit): wait(LogAppender.retryPause)
        case .failure(let error) where error.isPassing: wait(LogAppender.retryPause)
        case .failure(let error):
            for entry in batch { entry.answer.finish(.failure(error)) }
            flush()
        }
    }

    private func took(_ batch: [WaitingEntry], _ value: RedisValue) {
        let results = value.array ?? []
        switch results.first?.text {
        case "read":
            // Not at once: it may be of no use.
            wait(LogAppender.retryPause)
            return log.begin()
        case "wait":
            let longest = max(log.options.settling.milliseconds, 1)
            let time = results.count == 2 ? Int64(results[1].integer ?? 1) : 1
            return wait(.milliseconds(min(max(time, 1), longest)))
        default: break
        }
        for (index, entry) in batch.enumerated() {
            let result = index < results.count ? results[index] : .null
            if let error = finish(entry, result) { return again(error) }
        }
        flush()
    }

    /// Gives one its answer. Not that of an error that passes: that is given back.
    private func finish(_ entry: WaitingEntry, _ result: RedisValue) -> RedisError? {
        guard let parts = result.array, parts.count == 2, let id = parts[0].text, let text = parts[1].text else {
            entry.answer.finish(.failure(RedisError.answer("the script that appends to \(log.name) gave no entry")))
            return nil
        }
        if id.isEmpty {
            let error = RedisError.server(text)
            if error.isPassing { return error }
            entry.answer.finish(.failure(error))
        } else if let position = RedisLogPosition(id) {
            let made = RedisLogEntry(text: text, key: entry.key, position: position)
            log.promise(made)
            entry.answer.finish(.success(made))
        } else {
            entry.answer.finish(.failure(RedisError.answer("\(id) is no id of an entry")))
        }
        return nil
    }

    private func again(_ error: RedisError) {
        log.options.logger.warning("\(log.name): \(error)")
        wait(LogAppender.retryPause)
    }

    private func wait(_ time: Duration) {
        guard pause == nil, let core = log.core else { return }
        pause = try? core.loop.timer(after: time) { [weak self] in
            self?.pause = nil
            self?.flush()
        }
        // Without memory for a timer: with the next append, or the next change of a connection.
    }

    /// Finds the appender again, on its loop.
    private struct Sender: @unchecked Sendable {
        // @unchecked: used on the thread of the loop alone.
        weak var appender: LogAppender?

        init(_ appender: LogAppender) { self.appender = appender }
    }
}
