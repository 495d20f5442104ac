/// A template joined with all files that it extends and includes, ready to run.
final class Program: Sendable {
    /// A block that stands for another: the file that holds it and its number there.
    struct BlockTarget: Sendable {
        let unit: Int
        let block: Int
    }

    /// One file of the program. A file that is included many times is one unit.
    final class Unit: Sendable {
        let file: ParsedFile
        /// The program's variable for each symbol of the file.
        let slots: [Int]
        /// For each block of the file, the block that takes its place (TPL-11).
        let blocks: [BlockTarget]
        /// For each include of the file, the included unit.
        let includes: [Int]

        init(file: ParsedFile, slots: [Int], blocks: [BlockTarget], includes: [Int]) {
            self.file = file
            self.slots = slots
            self.blocks = blocks
            self.includes = includes
        }
    }

    let units: [Unit]
    /// The unit where a render begins: the root of the chain of extends.
    let entry: Unit
    /// The names of the program's variables.
    let names: [String]
    let options: TemplateOptions

    init(units: [Unit], entry: Unit, names: [String], options: TemplateOptions) {
        self.units = units
        self.entry = entry
        self.names = names
        self.options = options
    }
}
