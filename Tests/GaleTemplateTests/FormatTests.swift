import Testing

@testable import GaleTemplate

@Suite("Format")
struct FormatTests {
    @Test(
        "TPL-23: fixed digits are rounded from the exact value",
        arguments: [
            (1.005, 2, "1.00"), (1.115, 2, "1.11"), (0.125, 2, "0.12"), (0.375, 2, "0.38"), (0.5, 0, "0"),
            (1.5, 0, "2"),
            (-1.5, 1, "-1.5"), (0.001, 2, "0.00"), (-0.001, 2, "-0.00"), (12345.678, 1, "12345.7"),
            (1e15, 2, "1000000000000000.00"),
            (0.1, 15, "0.100000000000000"), (.infinity, 2, "inf"), (9.995, 2, "9.99"), (99.5, 0, "100"),
        ])
    func fixed(_ number: Double, _ digits: Int, _ expected: String) {
        #expect(Format.fixed(number, digits: digits) == expected)
    }

    @Test(
        "TPL-23: search without backtracking",
        arguments: [
            ("ab", "aab", 1), ("aab", "aaab", 1), ("abab", "abaabab", 3), ("x", "abc", nil), ("", "abc", 0),
            ("abc", "ab", nil),
        ])
    func find(_ needle: String, _ text: String, _ expected: Int?) {
        #expect(Text.find(Array(needle.utf8), in: Array(text.utf8), from: 0) == expected)
    }
}
