import Foundation
import GaleTemplate
import Synchronization
import Testing

@Suite("Loaders")
struct LoaderTests {
    /// A directory that is gone after the test.
    private final class Directory {
        let path = FileManager.default.temporaryDirectory.path + "/gale-template-" + UUID().uuidString

        init(_ files: [String: String]) throws {
            for (name, text) in files { try write(name, text) }
        }

        func write(_ name: String, _ text: String) throws {
            let url = URL(fileURLWithPath: path + "/" + name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    @Test("TPL-20: templates of a directory, with paths relative to the including file (TPL-17)")
    func directory() throws {
        let directory = try Directory([
            "root/a.html": "{% include sub/b.html %}", "root/sub/b.html": "{% include '../c.html' %}b",
            "root/c.html": "é",
        ])
        let loader = DirectoryLoader(directory.path + "/root")
        #expect(try loader.load("a.html").render() == "éb")
        #expect(try loader.load("./sub/../c.html").render() == "é")
    }

    @Test(
        "TPL-17: nothing outside of the root",
        arguments: [
            "../secret", "/etc/passwd", "sub/../../secret", "link", "linked/secret", "..", ".", "", "a\u{0}b", "sub",
        ])
    func confined(_ name: String) throws {
        let directory = try Directory(["secret": "s", "root/sub/a": "x", "root2/secret": "s"])
        let manager = FileManager.default
        try manager.createSymbolicLink(atPath: directory.path + "/root/link", withDestinationPath: "../secret")
        try manager.createSymbolicLink(atPath: directory.path + "/root/linked", withDestinationPath: "../root2")
        let loader = DirectoryLoader(directory.path + "/root")
        for load in [{ try loader.load(name).render() }, { try loader.source(of: name) }] {
            let error = #expect(throws: TemplateError.self) { try load() }
            #expect(error?.kind == .notFound)
        }
        let including = try? Template("{% include '\(name)' %}", name: "sub/page", loader: loader)
        #expect(including == nil)
    }

    @Test("TPL-17: links within the root are fine")
    func linkInside() throws {
        let directory = try Directory(["root/a": "x"])
        try FileManager.default.createSymbolicLink(atPath: directory.path + "/root/b", withDestinationPath: "a")
        #expect(try DirectoryLoader(directory.path + "/root").load("b").render() == "x")
    }

    @Test("TPL-20: files that are no text, no file or not there")
    func unreadable() throws {
        let directory = try Directory(["root/a": "x"])
        try Data([0x61, 0xFF]).write(to: URL(fileURLWithPath: directory.path + "/root/latin"))
        #expect(mkfifo(directory.path + "/root/pipe", 0o600) == 0)
        let loader = DirectoryLoader(directory.path + "/root")
        let expected = ["latin": "template 'latin' is not UTF-8", "pipe": "template 'pipe' is no file"]
        for (name, message) in expected {
            let error = #expect(throws: TemplateError.self) { try loader.load(name) }
            #expect(error?.description == message)
        }
        #expect(throws: TemplateError.self) { try DirectoryLoader("/nowhere/at/all").load("a") }
    }

    @Test("TPL-20: compiled once, seen anew after reset, or always with reload")
    func reset() throws {
        let directory = try Directory(["a": "{% include b %}", "b": "1"])
        let cached = DirectoryLoader(directory.path)
        let reloading = DirectoryLoader(directory.path, options: TemplateOptions(reload: true))
        #expect(try cached.load("a").render() == "1")
        #expect(try reloading.load("a").render() == "1")
        let held = try cached.load("a")
        try directory.write("b", "2")
        #expect(try cached.load("a").render() == "1")
        #expect(try reloading.load("a").render() == "2")
        cached.reset()
        #expect(try cached.load("a").render() == "2")
        #expect(try held.render() == "1")
    }

    /// Counts how often a source is asked for.
    private final class CountingLoader: TemplateLoader {
        let options = TemplateOptions()
        let cache = TemplateCache()
        let count = Mutex(0)
        func source(of name: String) throws -> String {
            count.withLock { $0 += 1 }
            return name == "part" ? "p" : "{% include part %}{% include part %}"
        }
    }

    @Test("TPL-20: a loader of one's own; each source is asked for once")
    func custom() throws {
        let loader = CountingLoader()
        for _ in 0..<3 { #expect(try loader.load("page").render() == "pp") }
        #expect(loader.count.withLock { $0 } == 2)
        _ = try loader.load("other")
        #expect(loader.count.withLock { $0 } == 3)
    }

    /// Is reset by another thread, so to speak, while it reads its first source.
    private final class InterruptedLoader: TemplateLoader {
        let options = TemplateOptions()
        let cache = TemplateCache()
        let count = Mutex(0)
        func source(of name: String) throws -> String {
            let count = count.withLock { count in
                count += 1
                return count
            }
            if count == 1 { reset() }
            return "version \(count)"
        }
    }

    @Test("TPL-20: what was begun before a reset is not kept after it")
    func resetWhileLoading() throws {
        let loader = InterruptedLoader()
        #expect(try loader.load("a").render() == "version 1")
        #expect(try loader.load("a").render() == "version 2")
        #expect(try loader.load("a").render() == "version 2")
    }

    @Test("TPL-20: load and reset from many threads")
    func threads() async throws {
        let loader = DictionaryLoader(["a": "{% include b %}", "b": "x"])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask {
                    if number % 5 == 0 { loader.reset() }
                    let text = try loader.load("a").render()
                    #expect(text == "x")
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("TPL-17, TPL-18: missing files are reported where they are named")
    func missing() throws {
        let files = [
            "a": "\n{% include b %}", "b": "\n\n{% include nope %}", "c": "{% extends ../x %}", "d": "{% include e %}",
            "e": "\n{{",
        ]
        #expect(failure(loading: "a", from: files)?.description == "no template named 'nope' at b:3")
        #expect(failure(loading: "c", from: files)?.description == "template path '../x' leaves the root at c:1")
        #expect(failure(loading: "d", from: files)?.description == "Missing end expression }} at e:2")
        #expect(failure(loading: "q", from: files)?.description == "no template named 'q'")
        #expect(failure("{% include x %}") == "no loader to find 'x' with at t.txt:1")
    }

    @Test("TPL-17: names from a template without a file are taken from the root")
    func stringParent() throws {
        let loader = DictionaryLoader(["x": "ok"])
        #expect(try Template("{% include x %}", loader: loader).render() == "ok")
        #expect(try loader.load("x", from: "<string>").render() == "ok")
        #expect(try loader.load("x", from: "/abs/file").render() == "ok")
    }
}
