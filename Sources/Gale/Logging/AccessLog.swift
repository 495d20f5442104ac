internal import GaleCore
internal import Logging

/// Tornado's line for each request: `200 GET /uri (ip) 1.23ms` (WEB-38).
enum AccessLog {
    static func write(_ call: Call, _ outcome: Outcome, since started: ContinuousClock.Instant) {
        let status: Int
        switch outcome {
        case .finished: status = call.status
        case .upgraded: status = 101
        case .failed where call.isFinished: status = call.status
        // Neither answered nor the handler's doing: the client left, was too slow or sent too much.
        case .failed: return
        }
        let logger = call.application.settings.logger
        let level: Logger.Level = status < 400 ? .info : status < 500 ? .warning : .error
        if logger.logLevel > level { return }
        let time = milliseconds(ContinuousClock.now - started)
        logger.log(level: level, "\(status) \(summary(call)) \(time)ms")
    }

    /// "GET /uri (ip)", safe to print.
    static func summary(_ call: Call) -> String {
        let method = call.withMethod { printable($0) }
        let target = call.withTarget { printable($0) }
        return "\(method) \(target) (\(call.remoteAddress))"
    }

    /// "1.23"
    static func milliseconds(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let hundredths = seconds * 100_000 + attoseconds / 10_000_000_000_000
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
    }

    /// Text in which control characters and what is no UTF-8 are escaped, so that no client writes its own log lines.
    static func printable(_ bytes: Span<UInt8>) -> String { printable(String(repairing: bytes)) }

    static func printable(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text }
        var safe = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                safe += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: safe.unicodeScalars.append(scalar)
            }
        }
        return safe
    }
}

/// The lines for what handlers throw (WEB-29).
enum ErrorLog {
    static func write(_ call: Call, _ error: any Error) {
        let logger = call.application.settings.logger
        // That the client has left is nobody's mistake, and clients leave as they like.
        if error as? ResponseError == .clientGone { return }
        guard let error = error as? HTTPError else {
            let text = AccessLog.printable(String(describing: error))
            logger.error("uncaught error in \(AccessLog.summary(call)): \(text)")
            return
        }
        guard let message = error.message else { return }
        let line: Logger.Message = "\(error.status) \(AccessLog.summary(call)): \(AccessLog.printable(message))"
        if error.status < 500 { logger.warning(line) } else { logger.error(line) }
    }
}
