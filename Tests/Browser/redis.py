#!/usr/bin/env python3
"""The chat of several processes, joined by a Redis that is killed and comes back, in real browser pages; harness.py says
what is needed, and redis-server.

  redis.py --server '.build/release/chat --port {port}' [--shots DIR]

Starts Redis and the chat's processes itself, once with a Redis that forgets everything when it is killed, once with one
that keeps it. Prints `N passed, N failed` last; exit status 1 when something failed.
"""
import http.cookiejar, json, os, random, shutil, signal, socket, subprocess, sys, tempfile, time, urllib.error, urllib.parse, urllib.request

import harness
from harness import (TEXTS, Server, check, count, dialogs, down, errors, join, live, log_in, looks_right, new_page, nothing_twice, people, room_of,
                     say, section, sees, tolerating)
from slow_line import SlowLine, flood


class Redis:
    """A redis-server of our own, in a folder of its own."""

    def __init__(self, keeps):
        self.port, self.keeps, self.process = harness.free_port(), keeps, None
        self.folder = tempfile.mkdtemp(prefix="gale-redis-")
        self.url = f"redis://127.0.0.1:{self.port}"

    def start(self):
        keep = ["--appendonly", "yes", "--appendfsync", "always"] if self.keeps else ["--appendonly", "no"]
        command = [options.redis_server, "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", self.folder]
        self.process = subprocess.Popen(command + keep, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not self.answers():
            assert self.process.poll() is None and time.monotonic() < deadline, "redis-server did not start"
            time.sleep(.02)

    def tell(self, command):
        with socket.create_connection(("127.0.0.1", self.port), 1) as s:
            s.sendall(command.encode() + b"\r\n")
            return s.recv(64).decode().strip()

    def answers(self):
        try:
            return self.tell("PING") == "+PONG"
        except OSError:
            return False

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def remove(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Visitor:
    """A client without a browser: the forms and the long poll, as they are."""

    def __init__(self, name):
        self.cookies, self.name = http.cookiejar.CookieJar(), name

    def ask(self, server, path, **form):
        token = {c.name: c.value for c in self.cookies}.get("_xsrf", "")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies))
        body = urllib.parse.urlencode({"_xsrf": token, **form}).encode() if form else None
        try:
            with opener.open(server.url + path, body, timeout=30) as response:
                return response.status, response.headers, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def log_in(self, server):
        self.ask(server, "login")
        return self.ask(server, "login", name=self.name)[0] == 200

    def poll(self, server, room, cursor, **more):
        status, _, text = self.ask(server, "a/message/updates", room=room, cursor=cursor, **more)
        return json.loads(text) if status == 200 else {"status": status}


def state(page, wanted):
    page.wait_for_function("(wanted) => document.getElementById('status').dataset.state === wanted", arg=wanted)


def same_everywhere(pages, texts, what):
    """Each text is in each page, once, and all pages have the same order; so have the texts of one sender."""
    for name, page in pages.items():
        check(sees(page, *texts), f"{what}: {name} has all of it")
    seen = {name: [t for t in page.evaluate(TEXTS) if t in set(texts)] for name, page in pages.items()}
    check(all(sorted(s) == sorted(texts) for s in seen.values()), f"{what}: once", {n: len(s) for n, s in seen.items()})
    first = next(iter(seen.values()))
    check(all(s == first for s in seen.values()), f"{what}: in the same order everywhere")
    for name in pages:
        own = [t for t in texts if t.startswith(name + " ")]
        check([t for t in first if t in own] == own, f"{what}: {name}'s in the order of writing")
    check(all(nothing_twice(page) for page in pages.values()), f"{what}: nothing stands twice")


def all_say(pages, when, times=4):
    texts = []
    for n in range(times):
        for name, page in pages.items():
            texts.append(f"{name} {when} {n}")
            say(page, texts[-1])
    return texts


# What the list of people and the status ever were.
RECORD = """() => { window.fewest = 99; window.told = [];
    const count = () => { fewest = Math.min(fewest, document.querySelectorAll('#people li').length) };
    const tell = () => told.push(document.getElementById('status').textContent);
    new MutationObserver(count).observe(document.getElementById('people'), { childList: true });
    new MutationObserver(tell).observe(document.getElementById('status'), { childList: true }); }"""
PHONE = dict(viewport={"width": 375, "height": 720}, device_scale_factor=2, has_touch=True, is_mobile=True)


def run_all(browser, keeps):
    redis = Redis(keeps)
    kind = "kept" if keeps else "emptied"
    command = options.server + " --redis " + redis.url
    north, south, east = (Server(command, f"{kind}-{name}") for name in ("north", "south", "east"))
    room = room_of("harbour-" + kind)
    try:
        redis.start(), north.start(), south.start()
        pages = {
            "ann": join(browser, north.url, "ann", room),
            "bob": join(browser, north.url, "bob", room, "&transport=poll", **PHONE),
            "cem": join(browser, south.url, "cem", room, color_scheme="dark"),
            "dan": join(browser, south.url, "dan", room, "&transport=poll", color_scheme="dark", **PHONE),
        }
        outage(browser, redis, north, south, pages, room, kind)
        late_process(browser, east, pages, room)
        cursors(redis, north, south, room)
        killed_process(redis, north, pages, room)
        under_fire(redis, north, south, pages)
        if not keeps:
            slow_phone(browser, south, room_of("slow"))
        check(not errors, "no console errors", "; ".join(errors[:4]))
        check(not dialogs, "no dialogs")
        for page in pages.values():
            page.context.close()
    finally:
        for process in (north, south, east):
            process.kill()
        redis.remove()


def outage(browser, redis, north, south, pages, room, kind):
    texts = []

    @section(f"before, during and after {options.outage:g} s without Redis, which is {kind}")
    def _():
        for page in pages.values():
            people(page, list(pages))
        check(True, "everyone sees everyone, over both processes and transports")
        texts.extend(all_say(pages, "before"))
        same_everywhere(pages, texts, "before")
        shots(pages, f"redis-{kind}-before")
        before = {name: page.inner_text("#status") for name, page in pages.items()}
        for page in pages.values():
            page.evaluate(RECORD)
        with tolerating():
            redis.kill()
            gone = time.monotonic()
            for page in pages.values():
                state(page, "apart")
            check(time.monotonic() - gone < 3, "all pages say that they are cut off, at once", f"{time.monotonic() - gone:.1f} s")
            status = pages["ann"].locator("#status")
            check("Cut off from the others" in status.inner_text() and status.get_attribute("role") == "status", "in words, also spoken")
            texts.extend(all_say(pages, "during"))
            for name, page in pages.items():
                page.wait_for_function("() => document.querySelectorAll('#outbox .message').length === 4")
                check(count(page, f"{name} before 0") == 1, f"{name}: what was said before can be read; what is written shows as not sent")
            shots(pages, f"redis-{kind}-during")
            pages["dan"].reload()
            state(pages["dan"], "apart")
            check(sees(pages["dan"], "ann before 0", "dan before 3") and pages["dan"].locator("#outbox .message").count() == 4,
                  "a reload meanwhile shows what was said, and what waits")
            form = without_script(browser, south, room, kind) if kind == "emptied" else None
            time.sleep(max(0, options.outage - (time.monotonic() - gone)))
            redis.start()
            for page in pages.values():
                live(page)
        check(True, "all pages say when it is over")
        same_everywhere(pages, texts, "before and during")
        if form:
            texts.append(sent_again(form, pages))
        texts.extend(all_say(pages, "after"))
        same_everywhere(pages, texts, "before, during and after")
        for name in ("ann", "bob", "cem"):             # dan's page was loaded anew
            fewest, told = pages[name].evaluate("() => [fewest, told]")
            check(fewest >= len(pages), f"{name}: nobody left the list meanwhile", fewest)
            check(told[0] == told[-2] and told[-1] == before[name], f"{name}: told when it began, and when it was over", told)
            check(len(told) == 2 or options.outage > 30, f"{name}: and of nothing else", told)
        shots(pages, f"redis-{kind}-after")


def shots(pages, name):
    for who, page in pages.items():
        looks_right(page, f"{name}-{who}")


def without_script(browser, south, room, kind):
    page = log_in(new_page(browser, java_script_enabled=False), south.url, "nora", f"?room={room}")
    check("Cut off from the others" in page.inner_text("#status"), "without JavaScript: the page says it, too")
    page.fill("#message", "nora during")
    with page.expect_response("**/a/message/new") as answer:
        page.click("#send")
    check(answer.value.status == 503 and answer.value.headers.get("retry-after"), "a form meets 503 and when to come again", answer.value.status)
    page.wait_for_selector("#again")
    check(page.input_value("#message") == "nora during", "and a page that has the message, to send it again")
    looks_right(page, f"redis-{kind}-unsent")
    return page


def sent_again(page, pages):
    page.click("#again")
    page.wait_for_selector("#inbox")
    check(count(page, "nora during") == 1, "sent again, it is there")
    page.context.close()
    return "nora during"


def late_process(browser, east, pages, room):
    @section("a process that is started later")
    def _():
        east.start()
        page = log_in(new_page(browser), east.url, "eve", f"?room={room}")
        there = page.evaluate(TEXTS)
        check(there == pages["ann"].evaluate(TEXTS) and len(there) > 40, "has what was said before, in the page itself", len(there))
        live(page)
        people(pages["dan"], ["eve"])
        say(page, "eve is late")
        check(all(sees(p, "eve is late") for p in pages.values()), "and takes part")
        check(f"room={room}" in page.locator(".rooms").inner_html(), "the room is on its list")
        page.context.close()
        people(pages["dan"], absent=["eve"])


def cursors(redis, north, south, room):
    @section("a cursor from one process is good for the other")
    def _():
        visitor = Visitor("vic")
        check(visitor.log_in(north), "a session of one process is one of the other")
        room_of_own = room + "-own"
        said = [json.loads(visitor.ask(north, "a/message/new", room=room_of_own, body=f"own {n}", nonce=f"n{n}")[2])["id"] for n in range(6)]
        check(said == sorted(said) and len(set(said)) == 6, "ids rise", said)
        for n, cursor in enumerate(said):
            got = visitor.poll(south, room_of_own, cursor, wait=0)
            check([m["id"] for m in got["messages"]] == said[n + 1:], f"after message {n} come those it has missed, at the other")
        news = visitor.poll(south, room_of_own, said[-1], wait=0)["news"]
        other = Visitor("wim")
        other.log_in(south), other.poll(south, room_of_own, said[-1], wait=0)
        for server, what in ((south, "what has happened between two polls is told at once"), (north, "and so is a poll that was at another process")):
            begun = time.monotonic()
            got = visitor.poll(server, room_of_own, said[-1], news=news)
            check(server is north or "wim" in got["people"], what, got)
            check(time.monotonic() - begun < 3, "within a moment", f"{time.monotonic() - begun:.1f} s")
        again = json.loads(visitor.ask(south, "a/message/new", room=room_of_own, body="own 2", nonce="n2")[2])["id"]
        check(2 << 20 < int(redis.tell(f"TTL gale-chat:room:{room_of_own}")[1:]) <= 2592000, "Redis forgets the room in a month")
        check(again == said[2], "a nonce said to both processes is one message", again)


def killed_process(redis, north, pages, room):
    @section("a chat process is killed and started again")
    def _():
        with tolerating():
            north.kill()
            down(pages["ann"]), down(pages["bob"])
            texts = all_say(pages, "while north is down", 2)
            people(pages["cem"], ["cem", "dan"], ["ann", "bob"])
            check(True, "who was there by it is gone after a while")
            north.start()
            for page in pages.values():
                live(page)
        people(pages["cem"], list(pages))
        same_everywhere(pages, texts, "a process gone")

    @section("the process and Redis, both")
    def _():
        with tolerating():
            redis.kill()
            for page in pages.values():
                state(page, "apart")
            texts = all_say(pages, "while both are down", 2)
            north.kill()
            down(pages["ann"]), down(pages["bob"])
            north.start()
            state(pages["ann"], "apart"), state(pages["bob"], "apart")
            texts += all_say(pages, "while Redis is down", 2)
            redis.start()
            for page in pages.values():
                live(page)
        same_everywhere(pages, texts, "both gone")
        check(all(sees(page, "ann before 0", "dan after 3") for page in pages.values()), "what was said long before is still there")


def under_fire(redis, north, south, pages):
    """Everybody writes all the while, and each process in turn is killed and comes back."""
    @section("everything is killed in turn while all talk")
    def _():
        turns = [(1, redis.kill), (3, redis.start), (5, redis.kill), (6, north.kill), (7, north.start), (9, redis.start), (11, south.kill),
                 (12.5, south.start), (14, redis.kill), (14.5, redis.start)]
        texts, begun = [], time.monotonic()
        with tolerating():
            while turns:
                if turns[0][0] < time.monotonic() - begun:
                    turns.pop(0)[1]()
                name = random.choice(list(pages))
                texts.append(f"{name} under fire {len(texts)}")
                say(pages[name], texts[-1])
                time.sleep(.1)
            for page in pages.values():
                live(page)
        same_everywhere(pages, texts, f"{len(texts)} messages under fire")


def slow_phone(browser, south, room):
    @section("a phone that reads too slowly")
    def _():
        with SlowLine(south.port) as line:
            page = new_page(browser, **PHONE)
            page.add_init_script("""window.codes = []; window.WebSocket = class extends WebSocket {
                constructor(url) { super(url); this.addEventListener('close', (e) => codes.push(e.code)) } }""")
            log_in(page, line.url, "pia", f"?room={room}")
            live(page, "WebSocket")
            line.stall()
            texts = flood(south, Visitor("vic"), room, 180)
            page.wait_for_timeout(500)
            check(page.evaluate(TEXTS) == [], "has not taken anything meanwhile")
            line.go_on()
            check(sees(page, *texts), "has all of it later")
            codes = page.evaluate("() => window.codes")
            check(1013 in codes, "after its socket was closed with 1013", str(codes))
            check(page.evaluate(TEXTS) == texts, "once, in order")
            live(page, "WebSocket")
            page.context.close()


def at_start():
    @section("at the start")
    def _():
        for url, why in (("redis://", "the host is missing"), ("http://127.0.0.1", "a Redis is"), ("rediss://127.0.0.1", "TLS")):
            done = subprocess.run(options.server.replace("{port}", "0").split() + ["--redis", url], capture_output=True, text=True, timeout=20)
            lines = done.stderr.strip().split("\n")
            check(done.returncode == 2 and len(lines) == 1 and why in lines[0], f"{url}: one line, and exit status 2", (done.returncode, done.stderr))
        redis = Redis(False)
        server = Server(f"{options.server} --workers 2 --redis {redis.url}", "alone")
        visitor = Visitor("sam")
        try:
            server.start()
            check(visitor.log_in(server), "without its Redis it serves")
            check(visitor.poll(server, "lobby", "", wait=0)["joined"] is False, "and says that it is cut off")
            news = visitor.poll(server, "lobby", "", wait=0)["news"]
            redis.start()
            begun = time.monotonic()
            while not (told := visitor.poll(server, "lobby", "", news=news))["joined"] and time.monotonic() < begun + 20:
                news = told["news"]
            check(told["joined"] and time.monotonic() - begun < 10, "a poll that waits is told when Redis has come", told)
            news, begun = told["news"], time.monotonic()
            redis.kill()
            while (told := visitor.poll(server, "lobby", "", news=news))["joined"] and time.monotonic() < begun + 20:
                news = told["news"]
            check(not told["joined"] and time.monotonic() - begun < 5, "and when it has gone", told)
            begun = time.monotonic()
            status, _, text = visitor.ask(server, "a/message/new", room="lobby", body="nobody hears it", nonce="x")
            check(status == 202 and "waiting" in text and time.monotonic() - begun < 8, "a post waits a moment, then 202", status)
            log = open(server.log).read()
            check(log.count(f"127.0.0.1:{redis.port}") >= 2, "the log has a line for each change", log)
        finally:
            server.kill()
            redis.remove()


def arguments(parser):
    parser.add_argument("--server", metavar="CMD", required=True, help="command with {port} in it")
    parser.add_argument("--outage", type=float, default=10, help="seconds without Redis")
    parser.add_argument("--redis-server", default=shutil.which("redis-server") or "/usr/bin/redis-server")


options = harness.begin(__doc__, arguments)
if not os.access(options.redis_server, os.X_OK):
    sys.exit(f"no redis-server at {options.redis_server}: apt install redis-server, or --redis-server PATH")
at_start()
with harness.chromium() as browser:
    run_all(browser, keeps=False)
    run_all(browser, keeps=True)
harness.finish()
