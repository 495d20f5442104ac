"""The chat in C over the wire; Tests/Browser/run.py sees the rest of it."""
import contextlib
import hmac
import html
import json
import os
import re
import struct
import threading
import time
import urllib.parse

from wire import Server, WebSocket, check, connect, free_port, helps, http, refuses


# What both chats say to names: characters are code points, and one of them shows.
NO_NAMES = ("", "   ", "x" * 33, "e\u0301" * 17, "a\nb", "a\u202eb", "a\u2028b", "\ufeff", "\u200d", "\u3164", "\u115f\u1160", "\uffa0",
            "\u2800", "\ufe0f", "\u034f", "\U000e0100", "\u3164 \u200d")
NAMES = ("x" * 32, "ü" * 32, "\U0001f600" * 32, "e\u0301" * 16, "\u2764\ufe0f", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "x\u3164")


class Visitor:
    """A browser of the C chat: keeps its cookies, repeats the token that its page has."""

    def __init__(self, port):
        self.port, self.cookies = port, {}

    def ask(self, method, path, form=None, fields=""):
        body = urllib.parse.urlencode(form or {}).encode()
        cookie = "; ".join(f"{n}={v}" for n, v in self.cookies.items())
        status, got, text = http(self.port, f"{method} {path} HTTP/1.1\nHost: localhost\nCookie: {cookie}\n{fields}"
                                 "Content-Type: application/x-www-form-urlencoded\n"
                                 f"Content-Length: {len(body)}", body)
        if "set-cookie" in got:
            self.cookies.update([got["set-cookie"].split(";")[0].split("=", 1)])
        return status, got, text.decode()

    def post(self, path, fields="", **form):
        return self.ask("POST", path, {"_xsrf": self.cookies.get("_xsrf", ""), **form}, fields)

    def socket(self, path, fields=""):
        return WebSocket(self.port, path, "Cookie: " + "; ".join(f"{n}={v}" for n, v in self.cookies.items())
                         + "\r\n" + fields)


def names(name, visitor):
    """Logs in by each; the visitor stays nobody."""
    page = visitor.ask("GET", "/login")[2]
    token, cookies = re.search('name="_xsrf" value="([^"]+)"', page)[1], dict(visitor.cookies)
    for bad in NO_NAMES:
        status, _, text = visitor.post("/login", name=bad, _xsrf=token)
        check(status == 400 and "1 to 32 characters" in text, f"{name}: {bad!r} is no name", (status, text))
        if bad.strip():
            visitor.post("/login", name="Ann", _xsrf=token)
            room = "/?" + urllib.parse.urlencode({"room": bad * (2 if len(bad) > 32 else 1)})
            check(visitor.ask("GET", room)[0] == 400, f"{name}: {bad!r} is no room")
            visitor.cookies = dict(cookies)
    for good in NAMES:
        status, fields, _ = visitor.post("/login", name=good, _xsrf=token)
        check(status == 303, f"{name}: {good!r} is a name", (status, fields))
        visitor.cookies = dict(cookies)


def chat_session(name, port, secret):
    ann, other = Visitor(port), Visitor(port)
    status, fields, _ = ann.ask("GET", "/?room=a%20b")
    check((status, fields.get("location")) == (303, "/login?next=%2F%3Froom%3Da%2520b"), f"{name}: who is nobody logs in", fields)
    ann.ask("GET", "/login")
    other.ask("GET", "/login")
    check(len(ann.cookies["_xsrf"]) == 32 and ann.cookies != other.cookies, f"{name}: each browser has a token", ann.cookies)
    for what, form, more in [("no token", {"_xsrf": ""}, ""), ("another's token", {"_xsrf": other.cookies["_xsrf"]}, ""),
                             ("another site", {}, "Origin: http://evil.example\n")]:
        status, _, _ = ann.post("/login", more, name="ann", **form)
        check(status == 403 and "user" not in ann.cookies, f"{name}: {what} does not log in", status)
    names(name, ann)
    for given, want in [("/?room=a", "/?room=a"), ("//evil.example", "/"), ("http://evil.example", "/"), ("/\\evil", "/"), ("/a\r\nb", "/")]:
        _, fields, _ = ann.post("/login", name=" änn <b> ", next=given)
        check(fields.get("location") == want, f"{name}: after log-in {given!r} leads to {want}", fields)

    # Signed as RFC 2104 says, by Python's own HMAC.
    sign = lambda key, text: hmac.new(key, text.encode(), "sha256").hexdigest()
    key = hmac.new(b"chat", secret.encode(), "sha256").digest()
    text, _, signature = ann.cookies["user"].rpartition(".")
    check(signature == sign(key, text) and bytes.fromhex(text.split(".")[0]).decode() == "änn <b>",
          f"{name}: the cookie is signed", ann.cookies)
    who, ends = text.split(".")
    for what, cookie in [("another name", "00" + text + "." + signature), ("an old one", f"{who}.1." + sign(key, f"{who}.1")),
                         ("another key", text + "." + sign(b"x", text)), ("none", ""), ("dots", "..."), ("no signature", text)]:
        thief = Visitor(port)
        thief.cookies = {"user": cookie}
        check(thief.ask("GET", "/")[0] == 303, f"{name}: a cookie with {what} is nobody's")
    return ann


def chat_talk(name, ann):
    status, _, page = ann.ask("GET", "/?room=quiet")
    check(status == 200 and 'data-name="änn &lt;b&gt;"' in page and "<b>änn" not in page, f"{name}: names are escaped", status)
    ws = ann.socket("/chatsocket?room=den&cursor=")
    people = json.loads(ws.receive()[1])
    check(people["type"] == "people", f"{name}: a socket hears who is here", people)

    def said():
        while True:
            event = json.loads(ws.receive()[1])
            if event["type"] != "people":
                return event
    for text in ("<script>alert(1)</script>", "\"'&\\ \x01\u2028", "grüße 🌬", "a\r\nb"):
        ws.send(1, json.dumps({"nonce": text[:20], "body": text}).encode())
        event, kept = said(), text.replace("\r\n", "\n").strip()
        check(event["body"] == kept and event["nonce"] == text[:20] and event["from"] == "änn <b>"
              and f'<p dir="auto">{html.escape(kept).replace("&#x27;", "&#39;")}</p>' in event["html"], f"{name}: says {text!r}", event)
    ws.send(1, b'{"body": "\\ud83c\\udf2c", "nonce": "pair"}')
    check(said()["body"] == "\U0001f32c", f"{name}: a pair of escapes is one character")
    for n, more in enumerate(('1', '-0.5e+3', 'true', 'null', '{}', '[]', '{"a": [1, {"b": "c"}], "d": null}', '[' * 400 + ']' * 400)):
        ws.send(1, b'{"x": %b, "body": "more", "nonce": "m%d", "v": %b}' % (more.encode(), n, more.encode()))
        check(said()["nonce"] == f"m{n}", f"{name}: a member that is {more[:40]} is passed over")
    for n, text in enumerate(["", " \n ", "x" * 4001, "🌬" * 2001]):
        ws.send(1, json.dumps({"body": text, "nonce": str(n)}).encode())
        check(said().get("type") == "error", f"{name}: {len(text)} characters are refused")
        check(ann.post("/a/message/new", room="den", body=text)[0] == 400, f"{name}: and in a form")
    # Nobody hears of it if nobody is there to: 201 more, of which the room keeps 200.
    for n in range(201):
        ws.send(1, json.dumps({"body": f"number {n}", "nonce": f"n{n}"}).encode())
        last = said()
    _, _, page = ann.ask("GET", "/?room=den")
    check(page.count("<article") == 200 and "number 0<" not in page and "number 200<" in page, f"{name}: keeps 200 messages")
    again = ann.socket(f"/chatsocket?room=den&cursor={last['id'][:-3]}{int(last['id'][-3:]) - 2:03}")
    got = [json.loads(again.receive()[1]).get("body") for _ in range(2)]
    check(got == ["number 199", "number 200"], f"{name}: a cursor brings what came after", got)
    again.close()
    for bad in (b"x", b"{}", b"[]", b'{"body": 1, "nonce": "x"}', b'{"body": "x"}', b'{"body": "\\ud800", "nonce": "x"}',
                b'{"body": "x", "nonce": "' + b"n" * 65 + b'"}', b'{"body": "x", "nonce": "x"} x',
                *(b'{"body": "x", "nonce": "x", "v": %b}' % v for v in (b"01", b"1.", b"-", b"tru", b"[1", b"[1,]", b'{"a"}', b"", b"[" * 60000)),
                 b'{"body": "x", "nonce": "x"'):
        broken = ann.socket("/chatsocket?room=other")
        broken.receive()
        broken.send(1, bad)
        kind = 1
        while kind == 1:
            kind, data = broken.receive()
            kind = 8 if b'"error"' in data else kind
        check(data[:2] == struct.pack(">H", 1007) or b'"error"' in data, f"{name}: {bad[:40]} is no message", data)
        broken.close()
    ws.close()


def chat_c(name, program, folder):
    port, secret = free_port(), "a secret for this test, of some length " * 3
    os.environ["GALE_CHAT_SECRET"] = secret
    with Server(name, [program, "--port", port, "--host", "127.0.0.1"], port) as server:
        ann = chat_session(name, port, secret)
        chat_talk(name, ann)
        for room in ("x" * 41, "a\tb", "\u200b"):
            check(ann.ask("GET", "/?" + urllib.parse.urlencode({"room": room}))[0] == 400, f"{name}: {room!r} is no room")
        for what, visitor, fields in [("without a name", Visitor(port), ""), ("of another site", ann, "Origin: http://evil.example\r\n")]:
            with contextlib.suppress(OSError):
                visitor.socket("/chatsocket", fields)
                check(False, f"{name}: a socket {what} is refused")
        for method, path, want in [("GET", "/none", 404), ("DELETE", "/", 405), ("GET", "/logout", 405), ("GET", "/static/chat.js", 200),
                                   ("POST", "/static/chat.js", 405), ("GET", "/static/..%2fmain.swift", 403), ("HEAD", "/login", 200)]:
            check(ann.ask(method, path)[0] == want, f"{name}: {method} {path} is {want}")
        check(ann.post("/a/message/new", room="den", body="x" * 70000)[0] == 413, f"{name}: a body too long is refused")

        answers = []
        poll = lambda: answers.append(json.loads(ann.post("/a/message/updates", room="poll")[2]))
        waiting = threading.Thread(target=poll)
        waiting.start()
        page = ""
        while "<bdi>änn &lt;b&gt;</bdi></li>" not in page:
            page = ann.ask("GET", "/?room=poll")[2]
        message = json.loads(ann.post("/a/message/new", room="poll", body="hello", nonce="once")[2])
        waiting.join()
        for _ in range(100):  # it may have heard first that somebody has come, or of that later
            if answers[-1]["messages"] and answers[-1]["people"]:
                break
            time.sleep(0.05)
            poll()
        check(answers[-1]["messages"] == [message] and answers[-1]["cursor"] == message["id"] and answers[-1]["people"] == ["änn <b>"],
              f"{name}: a long poll brings what is said", answers)
        check(json.loads(ann.post("/a/message/new", room="poll", body="hello", nonce="once")[2]) == message, f"{name}: a nonce is one message")
        with connect(port) as gone:  # leaves while it waits
            gone.sendall(b"POST /a/message/updates HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        refuses(name, [program, "--port", port], 1, "a port in use")
        waiting = threading.Thread(target=lambda: ann.post("/a/message/updates", room="poll", cursor=message["id"]))
        waiting.start()
        ann.post("/logout")
        check(ann.ask("GET", "/")[0] == 303, f"{name}: logs out")
        server.signal()
        waiting.join()
    refuses(name, [program, "--port", free_port(), "--files", folder], 1, "a folder without pages")
    helps(name, [program])
    refuses(name, [program, "--frobnicate"], 2, "an unknown flag", "--frobnicate")
    refuses(name, [program, "--port", "http"], 2, "a bad port")
