import Testing

@testable import GaleCore

@Suite struct FieldBlockTests {
    @Test("WEB-10: no control character passes, wherever it stands", arguments: 0...0x7f) func values(_ byte: UInt8) {
        let isAllowed = (byte >= 0x20 && byte != 0x7f) || byte == 0x09
        for length in 1...20 {
            for place in 0..<length {
                var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: length)
                bytes[place] = byte
                let block = FieldBlock()
                let isTaken = (try? block.add("X", String(decoding: bytes, as: UTF8.self))) != nil
                #expect(isTaken == isAllowed, "byte \(byte) at \(place) of \(length)")
            }
        }
    }

    @Test("WEB-10: text beyond ASCII passes, after what looks like a control character to arithmetic") func text()
        throws
    {
        let block = FieldBlock()
        for value in ["é", "\u{7ff}\u{800}\u{ffff}\u{10000}", "a\u{80}\u{9f}b", String(repeating: "ÿ ", count: 20)] {
            try block.add("X-A", value)
            #expect(block.pairs.last?.value == value)
        }
    }

    @Test("WEB-10: names are tokens", arguments: 0...0xff) func names(_ byte: UInt8) {
        let marks = Array("!#$%&'*+-.^_`|~".utf8)
        let isToken =
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
            || marks.contains(byte)
        let name = "Content-Typ" + String(Unicode.Scalar(byte))
        #expect(((try? FieldBlock().add(name, "v")) != nil) == isToken, "byte \(byte)")
        #expect((try? FieldBlock().add("", "v")) == nil)
    }

    @Test("one Content-Type, however it is written") func contentType() throws {
        for name in ["Content-Type", "content-type", "CONTENT-TYPE"] {
            let block = FieldBlock()
            try block.set("content-Type", "a")
            try block.set(name, "b")
            #expect(block.pairs.map(\.value) == ["b"] && block.contains("Content-type"))
            block.remove(name)
            #expect(block.count == 0)
        }
    }
}
