#include "room.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "respond.h"

enum {
    MAX_ROOMS = 200,
    SHOWN_ROOMS = 50,
    MAX_MESSAGES = 200,       /* of a room, */
    MAX_BYTES = 1 << 20,      /* and all of them together */
    MAX_PEOPLE = 1000,        /* of a room */
    QUIET_MS = 60 * 1000,     /* nobody here for so long: the room may go */
    POLL_MS = 25 * 1000,      /* how long a poll waits */
    POLL_AGAIN_MS = 8 * 1000, /* and how long it may take to ask again */
    TICK_MS = 500,
};

/* Somebody who is here: a socket, or a name that polls. */
struct member {
    room_t *room;
    member_t *next, **link;
    gale_ws_t *ws;    /* null: polls */
    unsigned waiting; /* polls of this name that are not answered */
    uint64_t until;   /* when the last one was, and time to ask again has passed */
    char name[];
};

struct waiter {
    gale_req_t *req;
    member_t *member; /* null: answered */
    waiter_t *next, **link;
    uint64_t until;
    char cursor[ID_SIZE];
};

struct room {
    char name[ROOM_SIZE];
    message_t *messages[MAX_MESSAGES]; /* oldest first */
    size_t count, bytes;
    member_t *members;
    size_t member_count;
    waiter_t *waiters;
    shared_t *people; /* what everybody was told last of who is here */
    bool changed;     /* somebody has come or gone since, maybe */
    uint64_t last_active;
};

static room_t *rooms[MAX_ROOMS];
static size_t room_count;
static gale_worker_t *worker;
static gale_server_t *server;
static volatile sig_atomic_t stopping;

static uint64_t now(void) { return gale_worker_now(worker); }

/* ------------------------------------------------------------------------------------- messages */

static void forget_oldest(room_t *room) {
    room->bytes -= room->messages[0]->size;
    message_free(room->messages[0]);
    room->count--;
    memmove(room->messages, room->messages + 1, room->count * sizeof room->messages[0]);
}

/* The index of the first message after the cursor; 0, so all of them, if it names none. */
static size_t after(const room_t *room, const char *cursor) {
    for (size_t i = room->count; i > 0; i--) {
        if (strcmp(room->messages[i - 1]->id, cursor) == 0) return i;
    }
    return 0;
}

void room_messages_html(text_t *out, const room_t *room, const char *reader) {
    for (size_t i = 0; room != NULL && i < room->count; i++) {
        message_html(out, room->messages[i], reader);
    }
}

const char *room_cursor(const room_t *room) {
    return room == NULL || room->count == 0 ? "" : room->messages[room->count - 1]->id;
}

/* --------------------------------------------------------------------------------------- people */

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of all who are here, each once; they live as long as their members. Null: no memory. */
static const char **people(const room_t *room, size_t *count) {
    const char **names = malloc((room->member_count + 1) * sizeof *names);
    size_t all = 0, kept = 0;
    if (names == NULL) return NULL;
    for (const member_t *m = room->members; m != NULL; m = m->next) names[all++] = m->name;
    qsort(names, all, sizeof *names, by_name);
    for (size_t i = 0; i < all; i++) {
        if (kept == 0 || strcmp(names[kept - 1], names[i]) != 0) names[kept++] = names[i];
    }
    *count = kept;
    return names;
}

void room_people_html(text_t *out, const room_t *room) {
    size_t count = 0;
    const char **names = room != NULL ? people(room, &count) : NULL;
    for (size_t i = 0; i < count; i++) {
        text_puts(out, "<li data-name=\"");
        text_html(out, names[i]);
        text_puts(out, "\"><span class=\"avatar\" data-name=\"");
        text_html(out, names[i]);
        text_puts(out, "\" aria-hidden=\"true\"></span><bdi>");
        text_html(out, names[i]);
        text_puts(out, "</bdi></li>\n");
    }
    free(names);
}

static const char people_head[] = "{\"type\":\"people\",\"people\":", people_tail[] = "}";

/* Null: no memory. */
static shared_t *people_json(const room_t *room) {
    size_t count = 0;
    const char **names = people(room, &count);
    text_t json = {.failed = names == NULL};
    text_puts(&json, people_head);
    text_puts(&json, "[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0) text_puts(&json, ",");
        text_json(&json, names[i]);
    }
    text_puts(&json, "]");
    text_puts(&json, people_tail);
    free(names);
    return shared_make(&json);
}

/* To all sockets of the room, whose name is their topic; false without memory. */
static bool send_all(const room_t *room, const shared_t *json) {
    gale_str_t text = gale_str(json->bytes, json->len);
    return gale_publish(server, gale_cstr(room->name), GALE_WS_TEXT, text) == GALE_OK;
}

static void answer(waiter_t *w);

/* Whoever waits has something to hear of. */
static void wake(room_t *room) {
    while (room->waiters != NULL) answer(room->waiters);
}

/* Tells everybody if somebody has come or gone. Once a tick: many may come at the same time. */
static void tell_people(room_t *room) {
    shared_t *json = people_json(room);
    if (json == NULL) return; /* the next tick tries again */
    bool same =
        json->len == room->people->len && memcmp(json->bytes, room->people->bytes, json->len) == 0;
    if (same || !send_all(room, json)) {
        room->changed = !same;
        shared_release(json);
        return;
    }
    room->changed = false;
    shared_release(room->people);
    room->people = json;
    room->last_active = now();
    wake(room);
}

static member_t *member_add(room_t *room, const char *name, gale_ws_t *ws) {
    size_t size = strlen(name) + 1;
    member_t *m = room->member_count < MAX_PEOPLE ? calloc(1, sizeof *m + size) : NULL;
    if (m == NULL) return NULL;
    memcpy(m->name, name, size);
    m->room = room;
    m->ws = ws;
    m->next = room->members;
    m->link = &room->members;
    if (m->next != NULL) m->next->link = &m->next;
    room->members = m;
    room->member_count++;
    room->changed = true;
    return m;
}

void room_leave(member_t *m) {
    m->room->changed = true;
    m->room->member_count--;
    *m->link = m->next;
    if (m->next != NULL) m->next->link = m->link;
    free(m);
}

room_t *member_room(const member_t *m) { return m->room; }

const char *member_name(const member_t *m) { return m->name; }

/* ------------------------------------------------------------------------ talking and listening */

const message_t *room_say(room_t *room, const char *from, const char *body, const char *nonce) {
    for (size_t i = room->count; i > 0 && *nonce != '\0'; i--) {
        const message_t *m = room->messages[i - 1];
        if (strcmp(m->nonce, nonce) == 0 && strcmp(m->from, from) == 0) return m;
    }
    message_t *m = message_make(room->name, from, body, nonce);
    if (m == NULL) return NULL;
    if (!send_all(room, m->json)) {
        message_free(m);
        return NULL;
    }
    while (room->count == MAX_MESSAGES || (room->count > 0 && room->bytes + m->size > MAX_BYTES)) {
        forget_oldest(room);
    }
    room->messages[room->count++] = m;
    room->bytes += m->size;
    room->last_active = now();
    wake(room);
    return m;
}

member_t *room_join(room_t *room, const char *name, gale_ws_t *ws, const char *cursor) {
    member_t *m = member_add(room, name, ws);
    if (m == NULL) return NULL;
    for (size_t i = after(room, cursor); i < room->count; i++) {
        gale_ws_send_buf(ws, GALE_WS_TEXT, shared_buf(room->messages[i]->json));
    }
    gale_ws_send_buf(ws, GALE_WS_TEXT, shared_buf(room->people));
    if (gale_ws_subscribe(ws, gale_cstr(room->name)) < 0) {
        room_leave(m);
        return NULL;
    }
    return m;
}

/* -------------------------------------------------------------------------------------- polling */

/* The name that polls, as a member; null: no memory, or too many people. */
static member_t *poller(room_t *room, const char *name) {
    member_t *m = room->members;
    while (m != NULL && (m->ws != NULL || strcmp(m->name, name) != 0)) m = m->next;
    if (m == NULL) m = member_add(room, name, NULL);
    if (m != NULL) m->until = now() + POLL_AGAIN_MS;
    return m;
}

static void respond_updates(const room_t *room, gale_req_t *req, const char *cursor) {
    text_t json = {0};
    size_t first = after(room, cursor);
    text_puts(&json, "{\"messages\":[");
    for (size_t i = first; i < room->count; i++) {
        if (i > first) text_puts(&json, ",");
        text_add(&json, room->messages[i]->json->bytes, room->messages[i]->json->len);
    }
    text_puts(&json, "],\"people\":");
    text_add(&json, room->people->bytes + strlen(people_head),
             room->people->len - strlen(people_head) - strlen(people_tail));
    text_puts(&json, ",\"cursor\":");
    text_json(&json, first < room->count ? room_cursor(room) : cursor);
    text_puts(&json, "}");
    respond_json(req, &json);
}

static void unlink_waiter(waiter_t *w) {
    *w->link = w->next;
    if (w->next != NULL) w->next->link = w->link;
    w->member->waiting--;
    w->member->until = now() + POLL_AGAIN_MS;
    w->member = NULL;
}

static void answer(waiter_t *w) {
    const room_t *room = w->member->room;
    unlink_waiter(w);
    respond_updates(room, w->req, w->cursor);
}

bool room_poll(room_t *room, const char *name, gale_req_t *req, const char *cursor, bool wait) {
    member_t *member = poller(room, name);
    if (member == NULL) return false;
    if (!wait || stopping || after(room, cursor) < room->count) {
        respond_updates(room, req, cursor);
        return true;
    }
    waiter_t *w = calloc(1, sizeof *w);
    if (w == NULL) return false;
    *w = (waiter_t){.req = req, .member = member, .until = now() + POLL_MS};
    snprintf(w->cursor, sizeof w->cursor, "%s", cursor);
    w->next = room->waiters;
    w->link = &room->waiters;
    if (w->next != NULL) w->next->link = &w->next;
    room->waiters = w;
    member->waiting++;
    gale_req_set_data(req, w);
    return true;
}

void room_poll_done(waiter_t *w) {
    if (w != NULL && w->member != NULL) unlink_waiter(w);
    free(w);
}

/* ---------------------------------------------------------------------------------------- rooms */

static void room_free(room_t *room) {
    while (room->count > 0) forget_oldest(room);
    while (room->members != NULL) room_leave(room->members); /* who polled; no socket is left */
    shared_release(room->people);
    free(room);
}

static bool is_quiet(const room_t *room) {
    return room != rooms[0] && room->members == NULL && room->waiters == NULL &&
           room->last_active + QUIET_MS < now();
}

/* Makes place for one more: the room that has been quiet longest goes. */
static bool make_place(void) {
    size_t oldest = 0;
    if (room_count < MAX_ROOMS) return true;
    for (size_t i = 1; i < room_count; i++) {
        bool better = oldest == 0 || rooms[i]->last_active < rooms[oldest]->last_active;
        if (is_quiet(rooms[i]) && better) oldest = i;
    }
    if (oldest == 0) return false;
    room_free(rooms[oldest]);
    rooms[oldest] = rooms[--room_count];
    return true;
}

room_t *room_find(const char *name) {
    for (size_t i = 0; i < room_count; i++) {
        if (strcmp(rooms[i]->name, name) == 0) return rooms[i];
    }
    return NULL;
}

room_t *room_enter(const char *name) {
    room_t *room = room_find(name);
    if (room != NULL || !make_place()) return room;
    room = calloc(1, sizeof *room);
    if (room == NULL || (room->people = people_json(room)) == NULL) {
        free(room);
        return NULL;
    }
    snprintf(room->name, sizeof room->name, "%s", name);
    room->last_active = now();
    rooms[room_count++] = room;
    return room;
}

static int by_life(const void *a, const void *b) {
    const room_t *x = *(room_t *const *)a, *y = *(room_t *const *)b;
    return (x->last_active < y->last_active) - (x->last_active > y->last_active);
}

void rooms_html(text_t *out, const char *current) {
    room_t *all[MAX_ROOMS];
    const char *names[SHOWN_ROOMS + 2] = {"lobby", current};
    size_t count = 2;
    memcpy(all, rooms, room_count * sizeof all[0]);
    qsort(all, room_count, sizeof all[0], by_life);
    for (size_t i = 0; i < room_count && i < SHOWN_ROOMS; i++) names[count++] = all[i]->name;
    qsort(names, count, sizeof names[0], by_name);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(names[i], names[i - 1]) == 0) continue;
        text_puts(out, "<li><a href=\"?room=");
        text_url(out, gale_cstr(names[i]));
        text_puts(out, strcmp(names[i], current) == 0 ? "\" aria-current=\"page\">" : "\">");
        text_puts(out, "<bdi>");
        text_html(out, names[i]);
        text_puts(out, "</bdi></a></li>\n");
    }
}

/* ------------------------------------------------------------------------------------ the clock */

static void tick(room_t *room) {
    for (member_t *m = room->members, *next; m != NULL; m = next) {
        next = m->next;
        if (m->ws == NULL && m->waiting == 0 && m->until <= now()) room_leave(m);
    }
    if (room->changed) tell_people(room);
    for (waiter_t *w = room->waiters, *next; w != NULL; w = next) {
        next = w->next;
        if (stopping || w->until <= now()) answer(w);
    }
}

static void on_tick(void *unused) {
    for (size_t i = 0; i < room_count; i++) tick(rooms[i]);
}

bool rooms_open(gale_worker_t *its, gale_server_t *of) {
    worker = its;
    server = of;
    return room_enter("lobby") != NULL &&
           gale_timer_start(worker, TICK_MS, TICK_MS, on_tick, NULL) != NULL;
}

void rooms_close(void) {
    while (room_count > 0) room_free(rooms[--room_count]);
}

void rooms_stop(void) { stopping = 1; }
