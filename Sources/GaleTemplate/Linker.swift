/// Joins parsed files into a program (TPL-11, TPL-12). Each file is taken up once however often it is named, so
/// the work is linear in the size of the files; cycles and endless chains are errors.
struct Linker {
    static let maximumChain = 50

    private let loader: (any TemplateLoader)?
    /// A unit in the making.
    private struct Draft {
        let file: ParsedFile
        let slots: [Int]
        var includes: [Int] = []
    }

    private var drafts: [Draft] = []
    private var table = SymbolTable()
    private var unitNumbers: [String: Int] = [:]
    private var files: [String: ParsedFile] = [:]
    /// Files whose includes are being followed, to find cycles.
    private var open: [String] = []

    private init(loader: (any TemplateLoader)?) { self.loader = loader }

    /// The program of a file. Throws when a named file is missing, malformed or part of a cycle.
    static func link(
        _ file: ParsedFile, options: TemplateOptions, loader: (any TemplateLoader)?
    ) throws -> Program {
        var linker = Linker(loader: loader)
        let chain = try linker.inheritance(from: file)
        let numbers = try chain.map { try linker.unit($0) }
        let units = linker.units(chain: numbers)
        return Program(
            units: units, entry: units[numbers[numbers.count - 1]], names: linker.table.names, options: options)
    }

    /// The file, what it extends, and so on up to the root.
    private mutating func inheritance(from file: ParsedFile) throws -> [ParsedFile] {
        var chain = [file]
        while let reference = chain[chain.count - 1].parts.extends {
            let child = chain[chain.count - 1]
            let parent = try self.file(reference, from: child)
            guard !chain.contains(where: { $0.name == parent.name }) else {
                throw failure("extends cycle through '\(parent.name)'", reference, child)
            }
            guard chain.count < Self.maximumChain else { throw failure("extends chain too long", reference, child) }
            chain.append(parent)
        }
        return chain
    }

    /// The number of a file's unit; takes up the file and all that it includes when it is new.
    private mutating func unit(_ file: ParsedFile) throws -> Int {
        if let number = unitNumbers[file.name] { return number }
        var slots: [Int] = []
        for name in file.parts.symbols.names { slots.append(table.number(of: name)) }
        let number = drafts.count
        drafts.append(Draft(file: file, slots: slots))
        unitNumbers[file.name] = number
        open.append(file.name)
        var includes: [Int] = []
        for reference in file.parts.includes {
            let included = try self.file(reference, from: file)
            guard !open.contains(included.name) else {
                throw failure("include cycle through '\(included.name)'", reference, file)
            }
            guard open.count < Self.maximumChain else { throw failure("includes nested too deeply", reference, file) }
            includes.append(try unit(included))
        }
        open.removeLast()
        drafts[number].includes = includes
        return number
    }

    /// A file named by another.
    private mutating func file(_ reference: ParsedFile.Reference, from file: ParsedFile) throws -> ParsedFile {
        guard let loader else { throw failure("no loader to find '\(reference.path)' with", reference, file) }
        do {
            let name = try loader.resolve(reference.path, from: file.name)
            if let known = files[name] { return known }
            let loaded = try loader.cache.file(name, of: loader)
            files[name] = loaded
            return loaded
        } catch var error as TemplateError {
            if error.position == nil { error.position = .init(file: file.name, line: reference.line) }
            throw error
        }
    }

    // MARK: Blocks

    /// Finds for each block name the definition that counts: the last one, counted from the root's first line to
    /// the child's last. So the search runs backwards and takes the first, and no unit needs a second visit.
    private func units(chain: [Int]) -> [Program.Unit] {
        var targets: [String: Program.BlockTarget] = [:]
        var visited: Set<Int> = []
        for unit in chain { collectBlocks(unit, &targets, &visited) }
        return drafts.enumerated().map { number, draft in
            let blocks = draft.file.parts.blocks.enumerated().map { index, block in
                targets[block.name] ?? Program.BlockTarget(unit: number, block: index)
            }
            return Program.Unit(file: draft.file, slots: draft.slots, blocks: blocks, includes: draft.includes)
        }
    }

    private func collectBlocks(
        _ number: Int, _ targets: inout [String: Program.BlockTarget], _ visited: inout Set<Int>
    ) {
        guard visited.insert(number).inserted else { return }
        let unit = drafts[number]
        for item in unit.file.parts.outline.reversed() {
            switch item {
            case .block(let index):
                let name = unit.file.parts.blocks[index].name
                if targets[name] == nil { targets[name] = Program.BlockTarget(unit: number, block: index) }
            case .include(let index): collectBlocks(unit.includes[index], &targets, &visited)
            }
        }
    }

    private func failure(_ message: String, _ reference: ParsedFile.Reference, _ file: ParsedFile) -> TemplateError {
        TemplateError(.notFound, message, at: .init(file: file.name, line: reference.line))
    }
}
