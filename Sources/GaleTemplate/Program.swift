/// A template joined with all files that it extends and includes, ready to run.
struct Program: Sendable {
    /// A block that stands for another: the file that holds it and its number there.
    struct BlockTarget: Sendable {
        let unit: Int
        let block: Int
    }

    /// One file of the program. A file that is included many times is one unit.
    struct Unit: Sendable {
        let file: ParsedFile
        /// The program's variable for each symbol of the file.
        let slots: [Int]
        /// For each block of the file, the block that takes its place (TPL-11).
        var blocks: [BlockTarget] = []
        /// For each include of the file, the included unit.
        var includes: [Int] = []
    }

    var units: [Unit] = []
    /// The unit where a render begins: the root of the chain of extends.
    var entry = 0
    /// The names of the program's variables.
    var names: [String] = []
    let options: TemplateOptions
}
