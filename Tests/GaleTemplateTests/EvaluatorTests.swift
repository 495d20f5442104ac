import GaleTemplate
import Testing

@Suite("Expressions")
struct EvaluatorTests {
    @Test(
        "TPL-23: lookup failures and misuse name file and line",
        arguments: [
            ("nope", "name 'nope' is not defined"), ("m.q", "map has no member 'q'"), ("m['q']", "no key 'q'"),
            ("n.q", "int has no member 'q'"), ("s.__class__", "string has no member '__class__'"),
            ("s.format('x')", "string has no method 'format'"), ("s.upper", "string has no member 'upper'"),
            ("xs[9]", "index 9 out of range"), ("xs[-9]", "index -9 out of range"), ("s[99]", "index 99 out of range"),
            ("xs['a']", "list can't be indexed by string"), ("m[0]", "map can't be indexed by int"),
            ("xs['a':]", "a slice is bounded by ints, not by string"), ("n[1:]", "int can't be sliced"),
            ("n()", "int can't be called"), ("nope()", "name 'nope' is not defined"),
            ("n.f()", "int has no method 'f'"),
            ("1 + 'a'", "unsupported operands for +: int and string"),
            ("'a' - 'b'", "unsupported operands for -: string and string"),
            ("-s", "unsupported operand for -: string"), ("+s", "unsupported operand for +: string"),
            ("1 < 'a'", "int < string is not defined"), ("1 in 2", "nothing can be in a int"),
            ("1 in 'a'", "int can't be in a string"),
            ("1 / 0", "division by zero"), ("1 // 0", "division by zero"), ("1 % 0", "division by zero"),
            ("1.5 / 0", "division by zero"), ("1.5 % 0", "division by zero"),
            ("9223372036854775807 + 1", "integer overflow"), ("-9223372036854775807 - 2", "integer overflow"),
            ("9223372036854775807 * 2", "integer overflow"), ("-(-9223372036854775807 - 1)", "integer overflow"),
            ("(-9223372036854775807 - 1) // -1", "integer overflow"),
            ("abs(-9223372036854775807 - 1)", "integer overflow"),
            ("{1: 2}", "a map's keys are strings"), ("len(3)", "int has no length"), ("len()", "missing argument 1"),
            ("int('x')", "'x' is no number"), ("int(1e300)", "number is too large for an int"),
            ("range(1, 5, 0)", "range with step 0"),
            ("min([])", "min of nothing"), ("sorted([1, 'a'])", "string < int is not defined"),
            ("'a'.split('')", "empty separator"),
            ("'a'.join([1])", "join needs strings, not int"), ("'a'.replace('', 'b')", "empty text to replace"),
            ("'%d' % 'a'", "%d needs a number, not string"), ("'%s'  % []", "not enough arguments for format"),
            ("'x' % 1", "not all arguments used by format"), ("'%' % 1", "incomplete format"),
            ("'%q' % 1", "unsupported format character"),
            ("'%99999s' % 1", "number in format is too large"), ("json_encode(len)", "function has no JSON form"),
            ("len", "a function can't be printed; is a call missing its brackets?"),
        ])
    func misuse(_ expression: String, _ message: String) {
        let values: [String: any TemplateConvertible] = ["m": ["a": 1], "n": 1, "s": "text", "xs": [1, 2]]
        #expect(failure("\n{{ \(expression) }}", values) == "\(message) at t.txt:2")
    }

    @Test(
        "TPL-18, TPL-23: malformed expressions",
        arguments: [
            ("1 +", "unexpected end of expression"), ("1 2", "invalid syntax in expression"),
            ("(1", "expected ')' in expression"),
            ("[1", "expected ']' in expression"), ("f(1", "expected ')' in expression"),
            ("{'a'}", "expected ':' in expression"),
            ("a.1", "invalid syntax in expression"), ("a..b", "expected a name after '.'"),
            ("a[]", "unexpected ']' in expression"),
            ("1 if 2", "conditional expression without else"), ("lambda x: x", "unexpected 'lambda' in expression"),
            ("'a", "unterminated string literal"), ("'\\x4'", "truncated escape in string literal"),
            ("'\\ud800'", "escape in string literal is no character"), ("1x", "invalid number '1x'"),
            ("1.2.3", "invalid number '1.2.3'"),
            ("99999999999999999999", "invalid number '99999999999999999999'"),
            ("a ? b", "unexpected character '?' in expression"),
            ("a = 1", "invalid syntax in expression"), ("f(a=1, 2)", "plain argument after a keyword argument"),
            ("f(a=1, a=2)", "keyword argument 'a' repeated"), ("[x for y z]", "comprehension without 'in'"),
            ("[x for x in y for z in x]", "a comprehension has one 'for' only"), ("*", "unexpected '*' in expression"),
            ("not", "unexpected end of expression"),
        ])
    func malformed(_ expression: String, _ message: String) {
        #expect(failure("\n\n{{ \(expression) }}") == "\(message) at t.txt:3")
    }

    @Test("TPL-23: member and index are alike for maps; a key does not hide a method")
    func maps() throws {
        let values: [String: any TemplateConvertible] = ["m": ["a": 1, "items": 2, "get": 3]]
        #expect(
            try rendered("{{ m.a }}{{ m['a'] }}{{ m.items }}{{ len(m.items()) }}{{ m.get('a') }}", values) == "11231")
        let callable: TemplateValue = [
            "f": .function(TemplateFunction { .int($0.count) }), "keys": .function(TemplateFunction { _ in "mine" }),
        ]
        #expect(try rendered("{{ m.f(1, k=2) }}{{ m.keys() }}", ["m": callable]) == "2mine")
    }

    @Test("TPL-23: keyword arguments")
    func keywords() throws {
        let function = TemplateFunction { arguments in
            .string("\(try arguments.int(0, "a")) \(try arguments.int(1, "b", default: 9)) \(arguments.bool(2, "c"))")
        }
        #expect(
            try rendered("{{ f(1) }}|{{ f(1, b=2) }}|{{ f(c=True, a=3) }}", ["f": function])
                == "1 9 false|1 2 false|3 9 true")
        #expect(failure("{{ f() }}", ["f": function]) == "missing argument 'a' at t.txt:1")
        #expect(failure("{{ f('x') }}", ["f": function]) == "expected an int, not string at t.txt:1")
    }

    @Test("TPL-23: the names of a comprehension are its own")
    func comprehensionScope() throws {
        #expect(try rendered("{% set x = 1 %}{{ [x for x in [2, 3]] }}{{ x }}") == "[2, 3]1")
        #expect(failure("{{ [x for x in [2]] }}{{ x }}") == "name 'x' is not defined at t.txt:1")
        #expect(try rendered("{% try %}{{ [1 / x for x in [0]] }}{% except %}{% end %}{{ x }}", ["x": 5]) == "5")
    }

    @Test("TPL-23: integers beyond 2^53 compare exactly, and operands are evaluated no further than needed")
    func exactness() throws {
        #expect(
            try rendered("{{ 9007199254740993 > 9007199254740992 }}{{ 9007199254740993 == 9007199254740992 }}")
                == "TrueFalse")
        #expect(
            try rendered("{{ 0 and nope }}{{ 1 or nope }}{{ 1 if True else nope }}{{ 2 < 1 < nope }}") == "011False")
        #expect(try rendered("{{ True + 1 }}{{ 'a' is 'a' }}{{ 0 is None }}{{ 1 is True }}") == "2TrueFalseFalse")
    }

    @Test("TPL-21: default functions with their options")
    func builtins() throws {
        let source = """
            {% raw linkify(u, shorten=True, extra_params='rel="x"', require_protocol=True, permitted_protocols=['http']) %}
            """
        let url = "http://reallylong.com/link/that/exceedsthelenglimit.html"
        let expected = "<a href=\"\(url)\" rel=\"x\" title=\"\(url)\">http://reallylong.com/link...</a>"
        #expect(try rendered(source, ["u": url]) == expected)
        #expect(try rendered("{{ url_escape('a/ b') }} {{ url_escape('a/ b', plus=False) }}") == "a%2F+b a/%20b")
        #expect(
            try rendered("{{ squeeze(' a  b ') }}{% raw json_encode('</') %}{{ xhtml_escape('<') }}")
                == "a b\"<\\/\"&lt;")
    }
}
