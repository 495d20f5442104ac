extension Redis {
    /// Sends a command, such as `command("SET", "colour", "red")`, and waits for its answer.
    ///
    /// Commands of one task go out in its order, and many may be under way at once. Without a connection it fails at
    /// once with `.away`, or after `options.patience`; `.lost` says that the connection ended before the answer came;
    /// `.server` is the error that Redis gave, `.limit` that too much waits. Throws `CancellationError` at once when
    /// the task is cancelled: then a command that was sent is carried out all the same. Not for SUBSCRIBE, MONITOR,
    /// blocking commands, MULTI over several calls, and SELECT: the connection is everybody's.
    @discardableResult
    public func command(_ words: String...) async throws -> RedisValue {
        try await command(bytes: words.map { Array($0.utf8) })
    }

    /// The same with any number of words.
    @discardableResult
    public func command(_ words: [String]) async throws -> RedisValue {
        try await command(bytes: words.map { Array($0.utf8) })
    }

    /// The same with words of any bytes.
    @discardableResult
    public func command(bytes words: [[UInt8]]) async throws -> RedisValue {
        try Task.checkCancellation()
        let answer = Answer<RedisValue>()
        let command = try Command(words, answer: answer)
        if !post({ $0.commands.send(command) }) { throw RedisError.away("the server doesn't run") }
        return try await answer.wait(onCancel: { [self] in post { $0.commands.forgetCancelled() } })
    }

    /// Sends text to all who subscribe to the channel, in whatever processes they are; how many Redis has sent it to.
    /// Channels are of the whole server, whatever the database. Throws as `command`.
    @discardableResult
    public func publish(_ text: String, to channel: String) async throws -> Int {
        try await publish(Array(text.utf8), to: channel)
    }

    /// The same with bytes.
    @discardableResult
    public func publish(_ bytes: [UInt8], to channel: String) async throws -> Int {
        let answer = try await command(bytes: [Array("PUBLISH".utf8), Array(channel.utf8), bytes])
        guard case .integer(let count) = answer else { throw RedisError.answer("PUBLISH gave no number") }
        return count
    }

    /// Calls `body` on the loop with each message of the channel (of the whole server, whatever the database), in order, until the subscription ends; short. It is
    /// made again whenever Redis comes back; what was published meanwhile is gone (`RedisLog` is for what mustn't be).
    /// May be called before the server starts.
    public func subscribe(
        to channel: String, _ body: @escaping @Sendable (RedisMessage) -> Void
    ) -> RedisSubscription {
        RedisSubscription(to: channel, isPattern: false, on: self, body)
    }

    /// The same for all channels that match a pattern of Redis, such as "news.*".
    public func subscribe(
        toPattern pattern: String, _ body: @escaping @Sendable (RedisMessage) -> Void
    ) -> RedisSubscription {
        RedisSubscription(to: pattern, isPattern: true, on: self, body)
    }
}
