#!/usr/bin/env python3
"""The chat of one process in real browser pages; harness.py says what is needed.

  run.py --server '.build/release/chat --port {port}' [--shots DIR]     starts, kills and restarts the server itself
  run.py --url http://127.0.0.1:8888/ [--shots DIR]                     a running server; nothing is restarted

The server gets its cookie secret in GALE_CHAT_SECRET: sessions survive a restart with the same one, and not another.
Prints `N passed, N failed` last; exit status 1 when something failed.
"""
import ipaddress, socket, statistics, sys, time, urllib.parse

import harness
from harness import (TEXTS, UNNAMED, check, count, dialogs, down, errors, live, looks_right, new_page, nothing_twice, people, room_of, say,
                     section, sees, shoot, tolerating)


def target(parser):
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--server", metavar="CMD", help="command with {port} in it")
    group.add_argument("--url")


options = harness.begin(__doc__, target)
server = harness.Server(options.server) if options.server else None
base = server.url if server else options.url.rstrip("/") + "/"
if not ipaddress.ip_address(socket.gethostbyname(urllib.parse.urlsplit(base).hostname)).is_loopback:
    sys.exit("run.py: loopback only")


def log_in(page, name, query=""):
    return harness.log_in(page, base, name, query)


def join(browser, name, room, query="", **settings):
    return harness.join(browser, base, name, room, query, **settings)


# ---- The tests -------------------------------------------------------------------------------------------------------

def run_all(browser):
    room, other = room_of("harbour"), room_of("sea")
    ann = join(browser, "ann", room)
    bob = join(browser, "bob", room, "&transport=poll")
    eve = join(browser, "eve", other)

    @section("two transports, two rooms")
    def _():
        live(ann, "WebSocket")
        check(True, "the first page says that it uses a WebSocket")
        live(bob, "long polling")
        check(True, "?transport=poll says that it uses long polling")
        for sender, receiver, who in ((ann, bob, "WebSocket to long polling"), (bob, ann, "long polling to WebSocket")):
            times = []
            for n in range(3):
                text, start = f"{who}, {n}", time.monotonic()
                say(sender, text)
                seen = sees(receiver, text)
                times.append(time.monotonic() - start if seen else 99)
                check(seen and sees(sender, text) and count(sender, text) == count(receiver, text) == 1, f"{text}: once in both")
            check(statistics.median(times) < 1, f"{who}: within a second", f"{times}")
        say(eve, "alone at sea")
        check(sees(eve, "alone at sea") and len(eve.evaluate(TEXTS)) == 1, "the other room saw none of it")
        check(count(ann, "alone at sea") == 0, "and this room nothing of the other")
        check(ann.locator("#inbox .message.mine").count() == 3, "own messages are marked as own")

    @section("who is here")
    def _():
        people(ann, ["ann", "bob"], ["eve"])
        people(bob, ["ann", "bob"], ["eve"])
        people(eve, ["eve"], ["ann", "bob"])
        check(True, "everyone in the room and nobody else")
        dan = join(browser, "dan", room)
        people(ann, ["dan"])
        check(True, "who comes is listed")
        dan.context.close()
        people(ann, ["ann", "bob"], ["dan"])
        check(True, "who goes is not any more")

    @section("markup is text")
    def _():
        for text in ("<script>alert(1)</script>", "<img src=x onerror=alert(2)>", "</article><b onclick=alert(3)>&lt;&amp;", "{{ 6 * 7 }} ${6 * 7}"):
            say(ann, text)
            check(sees(ann, text) and sees(bob, text), f"{text} shows as text")
        mallory = join(browser, "\"><img src=x onerror=alert(4)>", room)
        say(mallory, "what a name")
        check(sees(ann, "what a name") and sees(bob, "what a name"), "a name with markup can speak")
        mallory.context.close()
        bob.reload()
        live(bob)
        check(sees(bob, "<script>alert(1)</script>"), "and after a reload")
        for page in (ann, bob):
            check(page.locator("#inbox :is(script, img, b[onclick])").count() == 0, "no element came out of a message")
        check(not dialogs, "no dialog", str(dialogs))

    @section("writing")
    def _():
        ann.fill("#message", "one line")
        ann.press("#message", "Shift+Enter")
        ann.locator("#message").press_sequentially("and another")
        ann.press("#message", "Enter")
        check(sees(bob, "one line\nand another"), "Shift+Enter starts a line, Enter sends")
        before = len(ann.evaluate(TEXTS))
        say(ann, "   ")
        bob.fill("#message", "by the button")
        bob.click("#send")
        check(sees(ann, "by the button") and sees(bob, "by the button"), "the button sends")
        check(len(ann.evaluate(TEXTS)) == before + 1, "blanks are not a message")
        text = "سلام دنیا"
        say(bob, text)
        check(sees(ann, text) and ann.locator(".body p").last.evaluate("(e) => getComputedStyle(e).direction") == "rtl", "text from right to left stands so")
        texts = [[f"{who} says {n}" for n in range(25)] for who in ("ann", "bob")]
        for pair in zip(*texts):
            for page, line in zip((ann, bob), pair):
                say(page, line)
        check(all(sees(page, *texts[0], *texts[1]) for page in (ann, bob)), "50 messages from both at once arrive in both")
        check(ann.evaluate(TEXTS)[-50:] == bob.evaluate(TEXTS)[-50:], "in the same order")
        check(nothing_twice(ann) and nothing_twice(bob), "and once")
        own = [line for line in bob.evaluate(TEXTS) if line.startswith("bob says")]
        check(own == texts[1], "and in the order in which they were written")

    @section("reading")
    def _():
        place = "() => document.querySelector('#inbox .message:nth-last-child(20)').getBoundingClientRect().top"
        held = ann.evaluate_handle("() => document.querySelector('#inbox .message:nth-last-child(20)')")
        ann.evaluate("() => document.getElementById('scroller').scrollBy({ top: -600, behavior: 'instant' })")
        top = ann.evaluate(place)
        say(bob, "you are reading older ones")
        ann.wait_for_selector("#newer:visible")
        check(abs(held.evaluate("(e) => e.getBoundingClientRect().top") - top) < 2, "the place is kept while somebody reads older messages")
        check("1 new message" in ann.inner_text("#newer"), "a button tells of the new one")
        ann.click("#newer")
        ann.wait_for_selector("#newer", state="hidden")
        check(ann.evaluate("() => Math.abs(document.getElementById('scroller').scrollTop) < 2"), "and leads to the end")
        say(bob, "and now the latest")
        sees(ann, "and now the latest")
        check(ann.evaluate("() => Math.abs(document.getElementById('scroller').scrollTop) < 2"), "at the end the page follows")
        ann.evaluate("() => { Object.defineProperty(document, 'hidden', { configurable: true, get: () => true }); document.dispatchEvent(new Event('visibilitychange')) }")
        title = ann.title()
        say(bob, "while you look elsewhere")
        sees(ann, "while you look elsewhere")
        check(ann.title() == "(1) " + title, "the title counts while the page is hidden", ann.title())
        ann.evaluate("() => { delete document.hidden; document.dispatchEvent(new Event('visibilitychange')) }")
        check(ann.title() == title, "and forgets it when it is seen")

    @section("reload")
    def _():
        for page, name in ((ann, "WebSocket"), (bob, "long polling")):
            page.reload()
            live(page, name)
            check(sees(page, "WebSocket to long polling, 0", "and now the latest") and nothing_twice(page), f"{name}: shows what was said before, once")

    @section("without JavaScript")
    def _():
        nora = log_in(new_page(browser, java_script_enabled=False), "nora", f"?room={room}")
        check("and now the latest" in nora.inner_text("#inbox"), "logs in and sees what was said")
        nora.fill("#message", "<i>no script</i> here")
        nora.click("#send")
        nora.wait_for_load_state()
        check(nora.locator("#inbox .body", has_text="<i>no script</i> here").count() == 1 and f"room={room}" in nora.url, "posts, and is led back to the room")
        check(sees(ann, "<i>no script</i> here") and sees(bob, "<i>no script</i> here"), "the others have it at once")
        say(ann, "welcome, nora")
        sees(ann, "welcome, nora")
        nora.click("#status a")
        nora.wait_for_load_state()
        check("welcome, nora" in nora.inner_text("#inbox"), "the link shows new messages")
        check(nora.locator("#inbox .message.mine").count() == 1, "and own ones as own")
        shoot(nora, "desktop-without-javascript")
        nora.click("#logout")
        nora.wait_for_selector("#login")
        nora.goto(base)
        check(nora.locator("#login").count() == 1, "logs out")
        nora.context.close()

    @section("no WebSocket on the way")
    def _():
        page = new_page(browser, ignore_errors=True)
        page.add_init_script("""window.WebSocket = class extends WebSocket {
            constructor(url) { super(String(url).replace('chatsocket', 'no-such-socket')) } }""")
        log_in(page, "wim", f"?room={room}")
        live(page, "long polling")
        check(True, "falls back to long polling by itself")
        say(page, "over the long way")
        say(ann, "and back")
        check(sees(ann, "over the long way") and sees(page, "over the long way", "and back"), "and talks")
        page.context.close()

    @section("nothing doubled, nothing lost on the way")
    def _():
        with tolerating():
            bob.route("**/a/message/new", lambda r: r.abort())
            with bob.expect_event("requestfailed", lambda r: r.url.endswith("/a/message/new")):
                say(bob, "not at the first try")
            check(bob.locator("#outbox .message").count() == 1, "a post that failed still waits")
            bob.unroute("**/a/message/new")
            check(sees(ann, "not at the first try") and sees(bob, "not at the first try"), "and is posted again")
        ids = bob.evaluate("""async (room) => {
            const headers = { 'X-Xsrftoken': document.querySelector('#messageform [name=_xsrf]').value };
            const send = async () => (await fetch('/a/message/new', { method: 'POST', headers, body: new URLSearchParams({ room, body: 'posted twice', nonce: 'twice' }) })).json();
            return [(await send()).id, (await send()).id] }""", room)
        check(ids[0] == ids[1], "a nonce posted twice is one message")
        frames = ann.evaluate("""(room) => new Promise((done, fail) => {
            const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/chatsocket?room=${room}`), got = [];
            socket.onopen = () => { for (const nonce of ['x', 'x', 'y']) socket.send(JSON.stringify({ body: 'framed ' + nonce, nonce })) };
            socket.onmessage = ({ data }) => {
                const event = JSON.parse(data);
                if (event.type === 'message' && event.body.startsWith('framed')) got.push(event.body);
                if (event.nonce === 'y') { socket.close(); done(got) }
            };
            socket.onerror = fail })""", room)
        check(frames == ["framed x", "framed y"], "and one sent twice over a WebSocket", str(frames))
        bob.reload()
        live(bob)
        check(count(bob, "posted twice") == count(bob, "framed x") == count(bob, "not at the first try") == 1, "also in what is kept")

    @section("offline for a while")
    def _():
        with tolerating():
            ann.context.set_offline(True)
            down(ann)
            say(ann, "written without a network")
            ann.wait_for_selector("#outbox .message")
            say(bob, "said meanwhile")
            sees(bob, "said meanwhile")
            check(count(ann, "written without a network") == 0, "what is written waits, and is shown so")
            shoot(ann, "desktop-offline")
            ann.context.set_offline(False)
            live(ann, "WebSocket")
        check(sees(ann, "said meanwhile", "written without a network") and sees(bob, "written without a network"), "and goes out when the network is back; nothing was missed")
        check(count(ann, "written without a network") == count(bob, "written without a network") == 1, "once")
        check(ann.locator("#outbox .message").count() == 0, "nothing waits any more")

    if server:
        @section("the server dies and comes back")
        def _():
            with tolerating():
                server.kill()
                down(ann), down(bob), down(eve)
                check(True, "the pages notice")
                say(ann, "ann, while it is down")
                say(bob, "bob, while it is down")
                server.start()
                live(ann, "WebSocket"), live(bob, "long polling"), live(eve, "WebSocket")
            check(True, "and come back by themselves")
            waited = ["ann, while it is down", "bob, while it is down"]
            check(sees(ann, *waited) and sees(bob, *waited), "what was written meanwhile arrives in both")
            say(ann, "ann, after")
            say(bob, "bob, after")
            after = waited + ["ann, after", "bob, after"]
            check(sees(ann, *after) and sees(bob, *after), "and what is written then")
            check(all(count(page, text) == 1 for page in (ann, bob) for text in after), "once")
            check(all(sees(page, "and now the latest") for page in (ann, bob)), "what the pages had before is still there")
            check(all(text in page.evaluate(TEXTS)[-4:] for page in (ann, bob) for text in after), "and stands before the new")
            people(ann, ["ann", "bob"])
            check(count(eve, "ann, after") == 0, "the other room still sees none")

    @section("how it looks")
    def _():
        prefix = {"phone": dict(viewport={"width": 375, "height": 800}, device_scale_factor=2, has_touch=True, is_mobile=True), "desktop": {}}
        say(bob, "averyveryverylongword" * 12)
        say(ann, "A message of ordinary length, so that the screenshots show how lines break on a phone and on a desktop.")
        say(ann, "صباح الخير، كيف البحر اليوم؟")
        sees(ann, "averyveryverylongword" * 12, "صباح الخير، كيف البحر اليوم؟")
        state = ann.context.storage_state()
        for size, settings in prefix.items():
            for scheme in ("light", "dark"):
                name = f"{size}-{scheme}"
                page = new_page(browser, color_scheme=scheme, **settings)
                page.goto(base)
                looks_right(page, name + "-login")
                check(not page.evaluate(UNNAMED), f"{name}-login: every control has a name")
                page.context.close()
                page = new_page(browser, color_scheme=scheme, storage_state=state, **settings)
                page.goto(f"{base}?room={room}")
                live(page)
                looks_right(page, name + "-room")
                unnamed = page.evaluate(UNNAMED)
                check(not unnamed, f"{name}-room: every control has a name", str(unnamed[:2]))
                if size == "phone":
                    page.click(".bar button")
                    page.wait_for_selector("#people:visible")
                    looks_right(page, name + "-panel")
                    page.keyboard.press("Escape")
                    page.wait_for_selector("#people", state="hidden")
                page.evaluate("() => document.documentElement.dir = 'rtl'")
                looks_right(page, name + "-right-to-left")
                page.goto(f"{base}?room={room_of('calm')}")
                live(page)
                looks_right(page, name + "-empty")
                page.context.close()

    if server:
        @section("the session is lost")
        def _():
            with tolerating():
                for page in (ann, bob):                    # it is led away while the test looks at the other page
                    page.evaluate("""() => new MutationObserver(([m]) => sessionStorage.setItem('told', (sessionStorage.getItem('told') ?? '') + m.target.textContent))
                        .observe(document.getElementById('status'), { childList: true })""")
                server.kill()
                down(ann), down(bob)
                say(ann, "kept until ann is back")
                ann.fill("#message", "not yet finished")
                server.start(secret="another secret")
                for page, name in ((ann, "WebSocket"), (bob, "long polling")):
                    page.wait_for_selector("#login")
                    check(True, f"{name}: leads to the log-in page")
                    check("signed out" in page.evaluate("() => sessionStorage.getItem('told')"), f"{name}: and tells the person before")
                for page, name in ((ann, "ann"), (bob, "bob")):
                    page.fill("input[name=name]", name)
                    page.click("#login")
                    live(page)
            live(bob, "long polling")
            check(f"room={room}" in ann.url, "and from there back to the room, in the same way")
            check(sees(ann, "kept until ann is back") and sees(bob, "kept until ann is back"), "what had not been sent is sent then")
            check(ann.input_value("#message") == "not yet finished", "what was being written is still there")

    check(not errors, "no console errors", "; ".join(errors[:4]))
    check(not dialogs, "no dialogs")


try:
    if server:
        server.start()
    with harness.chromium() as browser:
        run_all(browser)
finally:
    if server:
        server.kill()
harness.finish()
