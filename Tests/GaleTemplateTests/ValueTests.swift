import GaleTemplate
import Testing

private struct User: TemplateConvertible {
    let name: String
    let age: Int
    var templateValue: TemplateValue { ["name": .string(name), "age": .int(age)] }
}

@Suite("Values and conversions")
struct ValueTests {
    @Test("TPL-23: Swift's types as values")
    func conversions() throws {
        let values: [String: any TemplateConvertible] = [
            "s": "a", "sub": "abc".dropFirst(), "i": 1, "d": 1.5, "f": Float(0.5), "b": true, "n": nil as String?,
            "some": "x" as String?, "l": [1, 2], "nested": [["a"]], "m": ["k": 1], "u": User(name: "Ann", age: 3),
            "us": [User(name: "B", age: 4)], "i32": Int32(7), "i64": Int64(8), "u32": UInt32(9),
        ]
        let source =
            "{{ s }}|{{ sub }}|{{ i }}|{{ d }}|{{ f }}|{{ b }}|{{ n }}|{{ some }}|{{ l }}|{{ m.k }}|{{ u.name }}"
        #expect(try rendered(source, values) == "a|bc|1|1.5|0.5|True||x|[1, 2]|1|Ann")
        let more = "{{ us[0].age }}|{{ i32 + i64 + u32 }}|{% raw nested %}"
        #expect(try rendered(more, values) == "4|24|[['a']]")
    }

    @Test(
        "TPL-23: truth",
        arguments: [
            (.none, false), (false, false), (true, true), (0, false), (-1, true), (0.0, false),
            (0.1, true),
            ("", false), ("0", true), (.html(""), false), ([], false), ([0], true), ([:], false), (["a": 0], true),
        ] as [(TemplateValue, Bool)])
    func truth(_ value: TemplateValue, _ isTrue: Bool) throws {
        #expect(value.isTrue == isTrue)
        #expect(try rendered("{% if x %}y{% end %}", ["x": value]) == (isTrue ? "y" : ""))
    }

    @Test("TPL-01: safe markup is not escaped again; text beside it is")
    func html() throws {
        let values: [String: any TemplateConvertible] = ["h": TemplateValue.html("<b>"), "s": "<i>"]
        #expect(
            try rendered("{{ h }}{{ s }}{{ h + s }}{{ s + h }}{{ h + h }}", values)
                == "<b>&lt;i&gt;<b>&lt;i&gt;&lt;i&gt;<b><b><b>")
        #expect(
            try rendered("{{ escape(s) }}{{ linkify('www.a.com') }}{{ h.upper() }}{{ h[0] }}", values)
                == "&lt;i&gt;<a href=\"http://www.a.com\">www.a.com</a>&lt;B&gt;&lt;")
        #expect(try rendered("{{ h == '<b>' }} {{ [h] }}", values) == "True [&#x27;&lt;b&gt;&#x27;]")
    }

    @Test("containers: order, last of equal keys")
    func containers() {
        let map = TemplateMap(pairs: [("b", 1), ("a", 2), ("b", 3)])
        #expect(map.keys == ["b", "a"])
        #expect(map["b"]?.isTrue == true && map.count == 2 && map["q"] == nil)
        #expect(TemplateMap(["b": 1, "a": 2]).keys == ["a", "b"])
        #expect(TemplateList([1, 2]).count == 2 && TemplateList([]).isEmpty)
    }

    @Test("a value that is given is converted only when it is used, and once")
    func lazyConversion() throws {
        final class Counter: TemplateConvertible {
            var count = 0
            var templateValue: TemplateValue {
                count += 1
                return .int(count)
            }
        }
        let used = Counter()
        let unused = Counter()
        #expect(try rendered("{{ used }}{{ used }}", ["used": used, "unused": unused]) == "11")
        #expect(unused.count == 0)
    }
}
