// Gale chat in the browser. The page works without this file; with it, messages come by themselves.
//
// Two promises decide the structure: nothing is lost (every message that was written stays in `outbox` until the server
// echoes its nonce, and every connection asks for what came after `cursor`), and nothing shows twice (`seen`).

const $ = (id) => document.getElementById(id);
const inbox = $("inbox"), scroller = $("scroller"), field = $("message"), form = $("messageform"), newer = $("newer");
const { room, name: me } = inbox.dataset;
const token = form.elements._xsrf.value;
const plainTitle = document.title;
const forcePolling = new URLSearchParams(location.search).get("transport") === "poll";

// ---- Showing messages -------------------------------------------------------------------------------------------

const seen = new Set();          // ids and nonces of the messages on the page
const kept = 1000;               // messages on the page; older ones are dropped while the reader is at the end
const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
let cursor = inbox.dataset.cursor;
let unread = 0;                  // while the page is hidden: for the title
let below = 0;                   // while the reader looks at older messages: for the button

/** The same name has the same colour in every browser. */
function tint(element, name) {
  let hash = 7;
  for (const letter of name.toLowerCase()) hash = (Math.imul(hash, 31) + letter.codePointAt(0)) >>> 0;
  element.style.setProperty("--hue", (hash % 16) * 22.5);
  element.style.setProperty("--chroma", .085);
}

function dayName(date) {
  const day = (d) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
  const ago = Math.round((day(new Date()) - day(date)) / 86400000);
  return ago === 0 ? "Today" : ago === 1 ? "Yesterday" : calendar.format(date);
}

/** What a message says by itself: colour, whose it is, local time. */
function dress(element) {
  tint(element, element.dataset.from);
  element.classList.toggle("mine", element.dataset.from === me);
  const time = element.querySelector("time"), date = new Date(time.dateTime);
  time.textContent = clock.format(date);
  time.title = date.toLocaleString();
}

/** What depends on the message before: day separator, and whether it continues the same person's turn. */
function arrange(element) {
  if (!element) return;
  const when = (e) => new Date(e.querySelector("time").dateTime);
  const before = element.previousElementSibling, date = when(element), earlier = before && when(before);
  const newDay = !before || earlier.toDateString() !== date.toDateString();
  if (newDay) element.dataset.day = dayName(date);
  else delete element.dataset.day;
  element.classList.toggle("follows", !newDay && before.dataset.from === element.dataset.from && date - earlier < 300000);
}

/** Ids are opaque, but sort in the order of the messages. Shorter first, should they be plain numbers. */
const isAfter = (a, b) => a.length === b.length ? a > b : a.length > b.length;

/** Puts one message where it belongs; answers whether it is new. */
function insert(message) {
  settle(message.nonce);
  const nonce = message.nonce && message.from + " " + message.nonce;   // nonces are their sender's own
  if (seen.has(message.id) || seen.has(nonce)) return false;
  seen.add(message.id);
  if (nonce) seen.add(nonce);
  const template = document.createElement("template");
  template.innerHTML = message.html;                      // escaped by the server's message.html
  const element = template.content.firstElementChild;
  let before = inbox.lastElementChild;                    // nearly always the right place at once
  while (before && isAfter(before.dataset.id, message.id)) before = before.previousElementSibling;
  if (before) before.after(element);
  else inbox.prepend(element);
  dress(element);
  arrange(element);
  arrange(element.nextElementSibling);
  if (message.from !== me) element.classList.add("arriving");
  return true;
}

/** In the reversed scroller 0 is the end and everything above is negative. */
const atEnd = () => scroller.scrollTop > -40;

function toEnd() {
  scroller.scrollTop = 0;
  below = 0;
  newer.hidden = true;
}

function receive(messages) {
  const stay = !atEnd(), height = scroller.scrollHeight;
  const foreign = messages.filter((m) => insert(m) && m.from !== me).length;
  if (stay) {                                             // keep the reader's place
    scroller.scrollTop -= scroller.scrollHeight - height;
    below += foreign;
    newer.hidden = below === 0;
    newer.textContent = below === 1 ? "1 new message ↓" : below + " new messages ↓";
  } else {
    toEnd();
    while (inbox.children.length > kept) inbox.firstElementChild.remove();
  }
  if (document.hidden && foreign) document.title = `(${unread += foreign}) ${plainTitle}`;
}

function showPeople(people) {
  const everyone = people.includes(me) ? people : [...people, me];
  $("people").replaceChildren(...everyone.map((name) => {
    const item = document.createElement("li"), avatar = document.createElement("span"), text = document.createElement("bdi");
    item.dataset.name = name;
    item.classList.toggle("you", name === me);
    avatar.className = "avatar";
    avatar.dataset.name = name;
    avatar.ariaHidden = "true";
    tint(avatar, name);
    text.textContent = name;
    item.append(avatar, text);
    return item;
  }));
  $("count").textContent = everyone.length;
}

// ---- Sending ----------------------------------------------------------------------------------------------------

const outbox = new Map();        // nonce: { body, element, sent: the socket it went out on }
const storage = `outbox ${me} ${room}`;
let posting = false;

function keepOutbox() {          // survives a reload, also the one that leads to the log-in page
  sessionStorage.setItem(storage, JSON.stringify([...outbox].map(([nonce, item]) => [nonce, item.body])));
}

function queue(nonce, body) {
  const element = document.createElement("div"), bubble = document.createElement("div"), text = document.createElement("p");
  element.className = "message mine follows";
  bubble.className = "body";
  text.dir = "auto";
  text.textContent = body;
  bubble.append(text);
  element.append(bubble);
  $("outbox").append(element);
  outbox.set(nonce, { body, element });
  keepOutbox();
  watch(nonce);
}

function watch(nonce) {          // no echo for this long: the connection is dead, whatever it says
  setTimeout(() => {             // but while the server is cut off, it keeps what it gets until that is over
    if (!apart && outbox.get(nonce)?.sent === socket) socket?.drop();
  }, 6000);
}

function settle(nonce) {
  outbox.get(nonce)?.element.remove();
  if (outbox.delete(nonce)) keepOutbox();
}

/** The server does not want this message: give it back to its writer. */
function refuse(nonce, reason) {
  const body = outbox.get(nonce)?.body;
  settle(nonce);
  if (body && !field.value) field.value = body;
  field.setCustomValidity(reason || "The server refused this message.");
  field.reportValidity();
}

/** Sends what waits, in order, on whatever connection there is. Sending again is safe: the server knows the nonce. */
async function flush() {
  if (!polling) {
    for (const [nonce, item] of outbox) {
      if (socket?.readyState !== WebSocket.OPEN) return;
      if (item.sent !== socket) socket.send(JSON.stringify({ body: item.body, nonce }));
      item.sent = socket;
    }
    return;
  }
  if (posting) return;
  posting = true;
  try {
    for (const [nonce, { body }] of outbox) {
      const response = await post("/a/message/new", { body, room, nonce }, 10000);
      if (response.status === 202) break;                 // the server has it, but no place for it yet
      if (response.ok) receive([await response.json()]);  // does not move the cursor: others may have spoken before
      else if (response.status < 500 && response.status !== 429) refuse(nonce);
      else break;
    }
  } catch {
    // What waits is still there.
  }
  posting = false;
  if (outbox.size && !stopped) setTimeout(flush, 1000);
}

async function post(path, fields, timeout) {
  const signal = AbortSignal.any([AbortSignal.timeout(timeout), hangup.signal]);
  const headers = { "X-Xsrftoken": token };
  const response = await fetch(path, { method: "POST", body: new URLSearchParams(fields), headers, signal, redirect: "manual" });
  if ([401, 403].includes(response.status) || response.type === "opaqueredirect") {
    signedOut();
    throw new Error("signed out");
  }
  return response;
}

// ---- Connection -------------------------------------------------------------------------------------------------

let socket = null;
let polling = forcePolling;
let apart = false;               // the server cannot reach the others it shares the rooms with
let news = "";                   // long polling: what the server's last answer knew, so that nothing passes between two
let caughtUp = false;            // long polling: the server has answered since the last failure
let refusals = 0;                // attempts in a row in which a WebSocket did not open
let everOpened = false;
let stopped = false;
let hangup = new AbortController();  // ends the requests under way
let wake = () => {};             // ends the pause between attempts

function status(state, text) {
  const line = $("status");
  if (line.textContent !== text) line.textContent = text;  // a live region: every write is spoken
  line.dataset.state = state;
}

function connected(how) {
  if (apart) status("apart", "Cut off from the others for now");
  else status("live", `Connected over ${how}`);
}

/** Who is here, and whether that is everybody. A chat that is alone, as the one in C, does not say the latter. */
function hear({ people, joined = true }) {
  if (apart && joined) for (const nonce of outbox.keys()) watch(nonce);
  apart = !joined;
  showPeople(people);
}

/** One WebSocket from start to end; answers whether it lived long enough to try the next one at once. */
function listen() {
  return new Promise((done) => {
    const url = new URL(`/chatsocket?${new URLSearchParams({ room, cursor })}`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const ws = socket = new WebSocket(url);
    let opened = 0;
    ws.drop = () => {                                     // close() alone waits long for a peer that is gone
      ws.onopen = ws.onmessage = ws.onclose = null;
      ws.close();
      ended();
      done(opened > 0);
    };
    const late = setTimeout(() => ws.drop(), 10000);
    const ended = () => {
      clearTimeout(late);
      socket = null;
      if (!opened) refusals++;
    };
    ws.onopen = () => {
      clearTimeout(late);
      opened = Date.now();
      everOpened = true;
      refusals = 0;
      flush();
    };
    ws.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      if (event.type === "people") {                      // comes last of what was missed, so now we are there
        hear(event);
        connected("WebSocket");
      } else if (event.type === "error") refuse(event.nonce, event.reason);
      else if (event.type === "message") {
        cursor = event.id;
        receive([event]);
      }
    };
    ws.onclose = () => {
      ended();
      done(opened && Date.now() - opened > 3000);         // one that closes at once must not be asked again at once
    };
  });
}

/** One long poll; answers whether the server did. The first after a failure does not wait, to know where we are. */
async function poll() {
  try {
    const fields = caughtUp ? { cursor, room, news } : { cursor, room, wait: 0 };
    const response = await post("/a/message/updates", fields, 40000);
    if (!response.ok) throw new Error(response.statusText);
    const reply = await response.json();
    caughtUp = true;
    cursor = reply.cursor;
    news = reply.news ?? "";
    receive(reply.messages);
    hear(reply);
    if (polling) connected("long polling");
    flush();
    return true;
  } catch {
    caughtUp = false;
    return false;
  }
}

/** Something between us lets requests through but no WebSocket, or we have been signed out: asking tells. */
async function askWhy() {
  caughtUp = false;
  if (!await poll()) refusals = 0;                        // no: simply nobody there
  else polling = refusals >= (everOpened ? 4 : 2);        // it has worked before: be slower to give it up
  if (polling) connected("long polling");
}

async function stayConnected() {
  status("trying", "Connecting…");
  for (let failures = 0; !stopped;) {
    const worked = polling ? await poll() : await listen();
    if (!worked && !polling && refusals >= 2 && !stopped) await askWhy();
    if (stopped) return;
    if (worked) failures = 0;
    if (polling && caughtUp) continue;
    if (navigator.onLine) status(...failures < 4 ? ["trying", "Reconnecting…"] : ["down", "The server is out of reach. Reconnecting…"]);
    else status("down", "You are offline. Messages go out when you are back.");
    const delay = Math.min(5000, 250 * 2 ** failures++) * (.5 + Math.random() / 2);   // not all clients at once
    await new Promise((done) => { wake = done; setTimeout(done, delay); });
  }
}

/** Try now, from the beginning: the network has changed, or somebody looks at the page again. */
function reconnect() {
  socket?.drop();
  hangup.abort();
  hangup = new AbortController();
  refusals = 0;
  polling = forcePolling;
  wake();
}

function signedOut() {
  if (stopped) return;
  stopped = true;
  sessionStorage.setItem("draft " + room, field.value);
  if (Date.now() - sessionStorage.getItem("signed out") < 10000) {   // reloading did not help: do not go on for ever
    status("lost", "The server does not accept this session. Log out and in again.");
    return;
  }
  sessionStorage.setItem("signed out", Date.now());
  status("lost", "You have been signed out. Taking you to the log-in page…");
  setTimeout(() => location.reload(), 1500);
}

addEventListener("online", reconnect);
addEventListener("offline", reconnect);                   // perhaps the server is on this machine
let hiddenSince = 0;
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    hiddenSince = Date.now();
    return;
  }
  unread = 0;
  document.title = plainTitle;
  if (Date.now() - hiddenSince > 60000) reconnect();      // sockets of sleeping phones die without a word
  else wake();
});

// ---- The page ---------------------------------------------------------------------------------------------------

const grows = CSS.supports("field-sizing", "content");
field.addEventListener("input", () => {
  field.setCustomValidity("");
  if (grows) return;
  field.style.blockSize = "auto";
  field.style.blockSize = field.scrollHeight + "px";
});

field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;   // composing: Enter picks a character
  event.preventDefault();
  form.requestSubmit();
});

form.noValidate = true;          // an empty field is simply not sent, without a bubble
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const body = field.value.trim();
  field.focus();
  if (!body) return;
  field.value = "";
  field.dispatchEvent(new Event("input"));
  // randomUUID would be missing here on plain http, as on a phone in the same house
  queue(Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join(""), body);
  toEnd();
  flush();
});

newer.addEventListener("click", () => {
  toEnd();
  field.focus();
});
scroller.addEventListener("scroll", () => { if (atEnd()) toEnd(); }, { passive: true });

for (const element of inbox.children) {
  seen.add(element.dataset.id);
  dress(element);
  arrange(element);
}
for (const avatar of document.querySelectorAll("#side .avatar")) tint(avatar, avatar.dataset.name);
showPeople(Array.from($("people").children, (item) => item.dataset.name));
if (forcePolling) {              // stay with it when changing rooms
  for (const link of document.querySelectorAll(".rooms a")) link.search += "&transport=poll";
  const keep = Object.assign(document.createElement("input"), { type: "hidden", name: "transport", value: "poll" });
  document.querySelector(".open").append(keep);
}
for (const [nonce, body] of JSON.parse(sessionStorage.getItem(storage) || "[]")) queue(nonce, body);
field.value ||= sessionStorage.getItem("draft " + room) || "";
sessionStorage.removeItem("draft " + room);
if (matchMedia("(hover: hover)").matches) field.focus();  // on a phone the keyboard would cover the conversation
stayConnected();
