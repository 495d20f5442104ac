"""include/gale.h, read: its functions, structs, error codes and thread table, each with line and doc comment.

Knows the little C that the header is written in, and stops at what it does not know instead of passing it by.
"""
import fnmatch
import re

COMMENT = re.compile(r"/\*.*?\*/", re.S)
RULE = re.compile(r"^/\* -{10,} (.*) \*/$", re.M)
SINCE = re.compile(r"\bSince\s+(?:\*\s+)?(\d+\.\d+)\b")
MARKS = re.compile(r"\b(?:GALE_API|GALE_NULLABLE|GALE_NONNULL)\b")


class Unreadable(Exception):
    pass


class Declaration:
    """Anything declared at the top level. `doc` is its comment, "" without one; `since` the version in it, in that of the
    group it stands in, or in the one at the top of its section."""

    def __init__(self, kind, name, text, line, last):
        self.kind, self.name, self.text, self.line, self.last = kind, name, text, line, last
        self.doc, self.since = "", None
        self.shared = 0  # which of a group it is that stands below one comment


class Struct(Declaration):
    def fields(self):
        """[(type, name)], arrays and callbacks included."""
        inside = self.text[self.text.index("{") + 1:self.text.rindex("}")]
        if "{" in inside:
            raise Unreadable(f"{self.line}: {self.name}: a struct within a struct; teach .ci/gale_h.py")
        found = []
        for field in filter(None, (MARKS.sub("", f).strip() for f in inside.split(";"))):
            callback = re.match(r"(.*?)\(\s*\*\s*(\w+)\s*\)\s*\(.*\)$", field, re.S)
            if callback:
                found.append((field, callback.group(2)))
                continue
            kind = None
            for declarator in field.split(","):
                match = re.match(r"(.*?)(\w+)\s*((?:\[[^]]*\]\s*)*)$", declarator.strip(), re.S)
                if not match or ":" in declarator:
                    raise Unreadable(f"{self.line}: {self.name}: cannot read '{field}'; teach .ci/gale_h.py")
                kind = kind or match.group(1).strip()
                found.append((kind, match.group(2)))
        return found


class Header:
    def __init__(self, text):
        self.text = text
        self.lines = text.split("\n")
        self.comments = [(m.start(), m.end(), m.group()) for m in COMMENT.finditer(text)]
        self.code = self._code()
        self.declarations = self._declarations()
        self._document()
        of = lambda kind: [d for d in self.declarations if d.kind == kind]
        self.functions, self.inlines, self.structs = of("function"), of("inline"), of("struct")

    def line_of(self, position):
        return self.text.count("\n", 0, position) + 1

    @property
    def includes(self):
        return re.findall(r"^\s*#\s*include\s*[<\"]([^>\"]+)", self.text, re.M)

    @property
    def version(self):
        number = lambda part: int(re.search(rf"#define GALE_VERSION_{part} (\d+)", self.text).group(1))
        return number("MAJOR"), number("MINOR"), number("PATCH")

    @property
    def extensible(self):
        """Structs that grow: those that begin with struct_size."""
        return [s for s in self.structs if ("size_t", "struct_size") in s.fields()]

    @property
    def errors(self):
        """[(name, value, text)] of the X-macro."""
        macro = re.search(r"#define GALE_ERRNO_MAP\(XX\)(.*?[^\\])\n", self.text, re.S).group(1)
        rows = re.findall(r'XX\((\w+),\s*(-?\d+),\s*((?:"[^"]*"[\s\\]*)+)\)', macro)
        if len(rows) != macro.count("XX("):
            raise Unreadable("GALE_ERRNO_MAP: a row that is no XX(name, value, \"text\")")
        return [(name, int(value), "".join(re.findall(r'"([^"]*)"', text))) for name, value, text in rows]

    @property
    def threads(self):
        """[(line, pattern)] of the table at the top; "gale_files_open, _free" names gale_files_open and gale_files_free."""
        match = re.search(r"^ \* Threads\b[^\n]*\n(.*?)^ \* \S", self.text, re.M | re.S)
        if not match:
            raise Unreadable("there is no table of threads at the top")
        rows, begin = [], self.line_of(match.start(1))
        for number, line in enumerate(match.group(1).split("\n")[1:], begin + 1):  # below its heading
            full = None
            names = re.split(r"\s{2,}", line.removeprefix(" *").strip())[0]
            for name in filter(None, (n.strip() for n in names.split(","))):
                if name.startswith("_") and full:
                    name = full.rsplit("_", 1)[0] + name
                full = name
                rows.append((number, name))
        return rows

    def thread_row(self, function):
        """The pattern of the first row of the thread table that matches a function, or None."""
        return next((p for _, p in self.threads if fnmatch.fnmatchcase(function, p)), None)

    def _code(self):
        """The declarations alone; everything else is blank, so that positions stay."""
        blank = lambda m: re.sub(r"[^\n]", " ", m.group())
        code = re.sub(r"^#ifdef __cplusplus\n.*?^#endif", blank, COMMENT.sub(blank, self.text), flags=re.M | re.S)
        code = re.sub(r"^\s*#(?:[^\n]*\\\n)*[^\n]*", blank, code, flags=re.M)
        code = re.sub(r"\bGALE_NONNULL_(?:BEGIN|END)\b", blank, code)
        return re.sub(r"\bGALE_ERRNO_MAP\(XX\)", blank, code)

    def _declarations(self):
        found, depth, begin, inline = [], 0, None, False
        for position, char in enumerate(self.code):
            if begin is None and not char.isspace():
                begin, inline = position, self.code.startswith("static inline", position)
            depth += (char == "{") - (char == "}")
            if depth == 0 and begin is not None and char == ("}" if inline else ";"):
                found.append(self._declaration(begin, position + 1))
                begin = None
        if begin is not None:
            raise Unreadable(f"{self.line_of(begin)}: a declaration without its end")
        return found

    def _declaration(self, begin, end):
        text = self.code[begin:end]
        kind, name = "other", re.search(r"(\w+)\s*;$", text)
        if text.startswith("static inline"):
            kind, name = "inline", re.search(r"(\w+)\s*\(", text)
        elif text.startswith("GALE_API"):
            kind, name = "function", re.search(r"(\w+)\s*\(", text)
        elif re.match(r"typedef\s+struct\b[^;]*\{", text):
            kind = "struct"
        elif text.startswith("enum"):
            name = re.search(r"(GALE_\w+)", text)
        elif not text.startswith("typedef"):
            raise Unreadable(f"{self.line_of(begin)}: neither GALE_API nor a type: {' '.join(text.split())[:60]}")
        if not name:
            raise Unreadable(f"{self.line_of(begin)}: no name found in: {' '.join(text.split())[:60]}")
        make = Struct if kind == "struct" else Declaration
        return make(kind, name.group(1), text, self.line_of(begin), self.line_of(end - 1))

    def _document(self):
        above = {self.line_of(end - 1): text for _, end, text in self.comments if not RULE.match(text)}
        beside = {self.line_of(start): text for start, _, text in self.comments}
        sections = [(self.line_of(m.start()), m.group(1)) for m in RULE.finditer(self.text)]
        first = {}  # of a section: its text, when that stands alone
        for start, end, text in self.comments:
            here = [s for s, _ in sections if s < self.line_of(start)]
            if here and self.line_of(start) == here[-1] + 2 and not self.lines[self.line_of(end - 1)].strip():
                first[here[-1]] = text
        previous = None
        for d in self.declarations:
            own = above.get(d.line - 1, "") + beside.get(d.last, "") * (d.last not in above or d.last != d.line - 1)
            group = previous.doc if previous and previous.last == d.line - 1 else ""
            d.doc, d.shared = own or group, 0 if own or not group else previous.shared + 1
            section = first.get(max((s for s, _ in sections if s < d.line), default=0), "")
            for text in (own, group, section):
                since = SINCE.search(text)
                if since and d.since is None:
                    d.since = since.group(1)
            previous = d


def read(path):
    with open(path, encoding="utf-8") as file:
        return Header(file.read())
