"""What the tests of the chat in real browsers share: checks, chat processes, pages and what is looked for in them.

Debian's chromium, driven by playwright from PyPI (pip install playwright; it downloads no browser of its own here). Only
loopback is reached. Waits for conditions, never for time.
"""
import argparse, contextlib, os, shlex, signal, socket, subprocess, sys, tempfile, time, urllib.error, urllib.parse, urllib.request

try:
    from playwright.sync_api import sync_playwright, Error as BrowserError
except ImportError:
    sys.exit("needs playwright: pip install playwright")

options = None
run_id = f"{time.time_ns() // 1000 % 10**9:x}"        # rooms and texts of this run, should the server already have some
room_of = lambda name: f"{name}-{run_id}"


def begin(doc, *arguments):
    """Reads the command line: what the test's own functions add to the parser, and what all tests have."""
    global options
    parser = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=doc)
    for add in arguments:
        add(parser)
    parser.add_argument("--shots", metavar="DIR", help="where screenshots go (default: a temporary folder)")
    parser.add_argument("--timeout", type=float, default=15, help="seconds to wait for any one condition")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    if not os.access(options.chromium, os.X_OK):
        sys.exit(f"no browser at {options.chromium}: apt install chromium, or --chromium PATH")
    options.shots = options.shots or tempfile.mkdtemp(prefix="gale-chat-")
    os.makedirs(options.shots, exist_ok=True)
    print("screenshots in", options.shots)
    return options


@contextlib.contextmanager
def chromium():
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path=options.chromium, headless=True, args=flags)
        print("browser", browser.version)
        try:
            yield browser
        except BrowserError as error:                  # the first pages did not even come up
            check(False, "the browser test ran to its end", str(error).strip().split("\n")[0])
        browser.close()


# ---- Checks ----------------------------------------------------------------------------------------------------------

passed, failed = 0, 0


def check(good, what, detail=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    print(("ok   " if good else "FAIL ") + what + (f" ({detail})" if detail and not good else ""), flush=True)
    return bool(good)


def section(name):
    """Runs a test function now. One that breaks off is one failure, and the next still run."""
    def run(test):
        print(f"-- {name}", flush=True)
        try:
            test()
        except (BrowserError, AssertionError, OSError) as error:
            check(False, name, str(error).strip().split("\n")[0])
    return run


def finish():
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


# ---- Processes -------------------------------------------------------------------------------------------------------

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A chat process, in a session of its own, so that killing it also reaches what a wrapper has started."""

    def __init__(self, command, name="server"):
        self.port = free_port()
        self.command = [part.replace("{port}", str(self.port)) for part in shlex.split(command)]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.log = os.path.join(options.shots, name + ".log")
        open(self.log, "w").close()
        self.process = None

    def start(self, secret="one secret for all the restarts of this test"):
        environment = dict(os.environ, GALE_CHAT_SECRET=secret)
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True)
        deadline = time.monotonic() + 60
        while not answers(self.url + "login"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"the server did not start: {' '.join(self.command)}\n{open(self.log).read()[-2000:]}")
            time.sleep(.05)

    def kill(self):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def answers(url):
    try:
        return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5).status == 200
    except (urllib.error.URLError, OSError):
        return False


# ---- Pages -----------------------------------------------------------------------------------------------------------
# Every script handed to a page is a function: the page's Content-Security-Policy forbids evaluating strings.

errors, dialogs = [], []
tolerant = False


@contextlib.contextmanager
def tolerating():
    """Something is down on purpose: that pages report errors of connections is right."""
    global tolerant
    tolerant = True
    try:
        yield
    finally:
        tolerant = False


def new_page(browser, ignore_errors=False, **settings):
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", **settings})
    context.set_default_timeout(options.timeout * 1000)

    def route(r):
        inside = urllib.parse.urlsplit(r.request.url).hostname in ("127.0.0.1", "localhost", "::1")
        r.continue_() if inside else (errors.append("left loopback: " + r.request.url), r.abort())

    context.route("**/*", route)
    page = context.new_page()
    page.on("console", lambda m: m.type == "error" and not (tolerant or ignore_errors) and errors.append(m.text))
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.on("dialog", lambda d: (dialogs.append(d.message), d.dismiss()))
    return page


def log_in(page, base, name, query=""):
    page.goto(base + query)
    page.fill("input[name=name]", name)
    page.click("#login")
    page.wait_for_selector("#message")
    return page


def join(browser, base, name, room, query="", **settings):
    page = log_in(new_page(browser, **settings), base, name, f"?room={room}{query}")
    live(page)
    return page


def live(page, how=""):
    page.wait_for_function("(how) => { const s = document.getElementById('status'); return s?.dataset.state === 'live' && s.textContent.includes(how) }", arg=how)


def down(page):
    page.wait_for_function("() => document.getElementById('status').dataset.state !== 'live'")


def say(page, text):
    page.fill("#message", text)
    page.press("#message", "Enter")


TEXTS = "() => Array.from(document.querySelectorAll('#inbox .message .body'), (e) => e.textContent)"


def sees(page, *texts):
    """Waits until all are there; a failure tells what was missing."""
    try:
        page.wait_for_function("(wanted) => { const there = new Set((%s)()); return wanted.every((t) => there.has(t)) }" % TEXTS, arg=list(texts))
        return True
    except BrowserError:
        print("     missing:", [t for t in texts if t not in page.evaluate(TEXTS)][:3])
        return False


def count(page, text):
    return page.evaluate(TEXTS).count(text)


def people(page, present=(), absent=()):
    page.wait_for_function("""([present, absent]) => {
        const here = Array.from(document.querySelectorAll('#people bdi'), (e) => e.textContent);
        return present.every((n) => here.includes(n)) && !absent.some((n) => here.includes(n)) }""", arg=[list(present), list(absent)])


def nothing_twice(page):
    return page.evaluate("() => { const all = Array.from(document.querySelectorAll('#inbox [data-id]'), (e) => e.dataset.id); return all.length === new Set(all).size }")


def shoot(page, name):
    page.screenshot(path=os.path.join(options.shots, name + ".png"), animations="disabled")


# What a page must hold in every size and scheme. Colours go through a canvas, which understands oklch() and mixes alpha.
FITS = """() => [document.documentElement, ...document.querySelectorAll('#scroller, #side, .bar')].every((e) => e.scrollWidth <= e.clientWidth)
    && document.querySelector('#message, #name').getBoundingClientRect().bottom <= innerHeight"""
UNNAMED = """() => Array.from(document.querySelectorAll('button, input:not([type=hidden]), textarea, a'))
    .filter((e) => !(e.ariaLabel || e.labels?.length && e.labels[0].textContent.trim() || e.textContent.trim() || e.hidden)).map((e) => e.outerHTML)"""
LOW_CONTRAST = """() => {
    const c = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const mixed = (colours) => { for (const k of colours) { c.fillStyle = k; c.fillRect(0, 0, 1, 1); } return [...c.getImageData(0, 0, 1, 1).data]; };
    const light = (rgb) => { const [r, g, b] = rgb.map((v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
    const low = [];
    for (const e of document.querySelectorAll('body *')) {
        const style = getComputedStyle(e), own = e.matches('.avatar') || [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
        if (!own || !e.checkVisibility({ visibilityProperty: true }) || e.closest('.unseen, noscript, .skip')) continue;
        const backs = [];
        for (let p = e; p; p = p.parentElement) backs.unshift(getComputedStyle(p).backgroundColor);
        const a = light(mixed(backs)), b = light(mixed([...backs, style.color]));
        const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
        if (ratio < 4.5) low.push(`${e.className || e.id || e.localName} ${ratio.toFixed(2)}`);
    }
    return low }"""


def looks_right(page, name):
    check(page.evaluate(FITS), f"{name}: fits, the field in view")
    low = page.evaluate(LOW_CONTRAST)
    check(not low, f"{name}: contrast is AA", "; ".join(low[:4]))
    shoot(page, name)
