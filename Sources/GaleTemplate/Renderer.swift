/// One render of a program: carries out the statements. Evaluating expressions is in `Evaluator.swift`.
///
/// The place of an error is not attached on the way out of each statement; the renderer keeps its current place
/// and reads it once, when an error has reached the top or an `except`.
struct Renderer {
    /// How a body ended.
    enum Flow {
        case next
        case breakLoop
        case continueLoop
    }

    /// Where an include or a replaced block was called.
    struct Call {
        let unit: Program.Unit
        let line: Int
    }

    static let maximumDepth = 100

    let program: Program
    let values: [String: any TemplateConvertible]
    let environment: TemplateEnvironment
    let limits: TemplateLimits

    var slots: [TemplateValue?]
    var output: [UInt8] = []
    var unit: Program.Unit
    var line = 0
    var calls: [Call] = []
    private var depth = 0
    private var stepsLeft: Int

    init(program: Program, values: [String: any TemplateConvertible], environment: TemplateEnvironment) {
        self.program = program
        self.values = values
        self.environment = environment
        limits = program.options.limits
        slots = [TemplateValue?](repeating: nil, count: program.names.count)
        unit = program.entry
        stepsLeft = limits.steps
        output.reserveCapacity(1024)
    }

    /// The whole output.
    mutating func render() throws -> [UInt8] {
        do {
            _ = try run(unit.file.parts.body)
            try checkOutput()
            return output
        } catch {
            throw located(error)
        }
    }

    // MARK: Errors and bounds

    /// The line that is being carried out.
    private var here: TemplateError.Position { .init(file: unit.file.name, line: line) }

    /// The error with its place and the calls that led there, down to the first `count` of them. An error that has
    /// a place already knows its way up to the current file.
    private func located(_ error: any Error, above count: Int = 0) -> TemplateError {
        var located = (error as? TemplateError) ?? TemplateError(.foreign, String(describing: error), underlying: error)
        if located.position == nil { located.position = here }
        for call in calls[count...].reversed() {
            located.via.append(.init(file: call.unit.file.name, line: call.line))
        }
        return located
    }

    /// Calls host code. An error with a place comes from a render in there: this line called it.
    mutating func host<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch var error as TemplateError where error.position != nil {
            error.via.append(here)
            throw error
        }
    }

    /// Accounts for work that a template can multiply.
    mutating func spend(_ steps: Int) throws {
        stepsLeft -= steps
        if stepsLeft < 0 { throw TemplateError(.limit, "template takes more than \(limits.steps) steps") }
    }

    private mutating func checkOutput() throws {
        if output.count > limits.outputBytes {
            throw TemplateError(.limit, "template output is longer than \(limits.outputBytes) bytes")
        }
    }

    // MARK: Statements

    mutating func run(_ body: [Statement]) throws -> Flow {
        guard depth < Self.maximumDepth else { throw TemplateError(.limit, "template nested too deeply") }
        depth += 1
        for statement in body {
            line = statement.line
            let flow = try execute(statement.kind)
            if flow != .next {
                depth -= 1
                return flow
            }
        }
        depth -= 1
        return .next
    }

    private mutating func execute(_ kind: Statement.Kind) throws -> Flow {
        switch kind {
        case .text(let bytes): output += bytes
        case .output(let node, let isRaw): try emit(try evaluate(node), isRaw: isRaw)
        case .module(let name, let arguments): try runModule(name, arguments)
        case .conditional(let branches, let otherwise):
            for branch in branches {
                line = branch.line
                if try evaluate(branch.test).isTrue { return try run(branch.body) }
            }
            return otherwise.isEmpty ? .next : try run(otherwise)
        case .forLoop(let target, let source, let body, let otherwise):
            return try runFor(target, source, body, otherwise)
        case .whileLoop(let test, let body, let otherwise): return try runWhile(test, body, otherwise)
        case .breakLoop: return .breakLoop
        case .continueLoop: return .continueLoop
        case .attempt(let attempt): return try runAttempt(attempt)
        case .set(let target, let operation, let node): try assign(target, operation, node)
        case .apply(let node, let body): try runApply(node, body)
        case .block(let number):
            let target = unit.blocks[number]
            let owner = program.units[target.unit]
            return try enter(owner, owner.file.parts.blocks[target.block].body)
        case .include(let number):
            let included = program.units[unit.includes[number]]
            return try enter(included, included.file.parts.body)
        }
        return .next
    }

    /// Runs a body that belongs to a unit, with that unit's escaping and names (TPL-12, TPL-15).
    private mutating func enter(_ target: Program.Unit, _ body: [Statement]) throws -> Flow {
        try spend(1)
        try checkOutput()
        // A block that was not replaced is no detour worth telling.
        guard target !== unit else { return try run(body) }
        calls.append(Call(unit: unit, line: line))
        let caller = unit
        unit = target
        let flow = try run(body)
        unit = caller
        calls.removeLast()
        return flow
    }

    // MARK: Loops

    private mutating func runFor(
        _ target: Target, _ source: ExpressionNode, _ body: [Statement], _ otherwise: [Statement]
    ) throws -> Flow {
        let headLine = line
        for element in try elements(of: try evaluate(source)) {
            try spend(1)
            try checkOutput()
            line = headLine
            try assign(element, to: target)
            if try run(body) == .breakLoop { return .next }
        }
        return otherwise.isEmpty ? .next : try run(otherwise)
    }

    private mutating func runWhile(
        _ test: ExpressionNode, _ body: [Statement], _ otherwise: [Statement]
    ) throws -> Flow {
        let testLine = line
        while try evaluate(test).isTrue {
            try spend(1)
            try checkOutput()
            if try run(body) == .breakLoop { return .next }
            line = testLine
        }
        return otherwise.isEmpty ? .next : try run(otherwise)
    }

    // MARK: Assignment

    private mutating func assign(
        _ target: Target, _ operation: ArithmeticOperator?, _ node: ExpressionNode
    ) throws {
        let value = try evaluate(node)
        guard let operation, case .name(let symbol) = target else { return try assign(value, to: target) }
        try assign(try arithmetic(operation, try variable(symbol), value), to: target)
    }

    /// Writes a value to a name, or spreads a list over names (TPL-06, TPL-08).
    mutating func assign(_ value: TemplateValue, to target: Target) throws {
        switch target {
        case .name(let symbol): slots[unit.slots[symbol]] = value
        case .list(let targets):
            let values = try elements(of: value)
            guard values.count == targets.count else {
                throw TemplateError(.value, "expected \(targets.count) values to unpack, got \(values.count)")
            }
            for (target, value) in zip(targets, values) { try assign(value, to: target) }
        }
    }

    // MARK: try

    /// Output before the error stays (TPL-07).
    private mutating func runAttempt(_ attempt: Statement.Attempt) throws -> Flow {
        guard !attempt.finally.isEmpty else { return try runHandlers(attempt) }
        let before = (unit, calls.count, depth)
        var flow = Flow.next
        do {
            flow = try runHandlers(attempt)
        } catch let error as TemplateError where error.isCatchable {
            let error = located(error, above: before.1)
            (unit, depth) = (before.0, before.2)
            calls.removeLast(calls.count - before.1)
            let flow = try run(attempt.finally)
            // A break in the finally part drops the error, as in Python.
            if flow != .next { return flow }
            throw error
        }
        let last = try run(attempt.finally)
        if last != .next { flow = last }
        return flow
    }

    private mutating func runHandlers(_ attempt: Statement.Attempt) throws -> Flow {
        let before = (unit, calls.count, depth)
        do {
            let flow = try run(attempt.body)
            if flow != .next { return flow }
        } catch let error as TemplateError where error.isCatchable {
            let error = located(error, above: before.1)
            (unit, depth) = (before.0, before.2)
            calls.removeLast(calls.count - before.1)
            for handler in attempt.handlers
            where handler.names.isEmpty || handler.names.contains(where: { error.matches(exceptionName: $0) == true }) {
                if let variable = handler.variable {
                    try assign(.string(error.message), to: .name(variable))
                }
                return try run(handler.body)
            }
            throw error
        }
        return attempt.otherwise.isEmpty ? .next : try run(attempt.otherwise)
    }

    // MARK: apply and module

    /// The function gets what the body printed, escaped as it is; its result is not escaped again (TPL-10).
    private mutating func runApply(_ node: ExpressionNode, _ body: [Statement]) throws {
        let function = try evaluate(node)
        var saved: [UInt8] = []
        swap(&saved, &output)
        do {
            _ = try run(body)
            try checkOutput()
        } catch {
            output = saved
            throw error
        }
        let text = String(decoding: output, as: UTF8.self)
        output = saved
        try emit(try call(function, TemplateArguments([.string(text)])), isRaw: true)
    }

    /// The result of a UI module goes out as it is (TPL-13).
    private mutating func runModule(_ name: String, _ arguments: [ArgumentNode]) throws {
        guard let module = environment.modules[name] else {
            throw TemplateError(.name, "module '\(name)' is not defined")
        }
        let values = try self.arguments(arguments)
        try emit(try host { try module(values) }, isRaw: true)
    }
}
