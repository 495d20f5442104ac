/*
 * The chat of examples/chat, in C alone: the same pages, the same script in the browser, the same
 * messages on the wire. Rooms with their last messages, over WebSocket or long polling or plain
 * forms.
 *
 *     /                    the room's page, complete without JavaScript
 *     /login, /logout      a name, and no password
 *     /chatsocket          the WebSocket: {"body", "nonce"} in, messages and people out
 *     /a/message/new       says something
 *     /a/message/updates   the long poll
 *     /static/             examples/chat/static
 *
 * Read on in chat/room.c for how it works, and in chat/session.c for who is who.
 */
#include <gale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "chat/form.h"
#include "chat/page.h"
#include "chat/respond.h"
#include "chat/room.h"
#include "chat/session.h"

#ifndef CHAT_FILES
#define CHAT_FILES "examples"
#endif

enum { BODY_SIZE = 16 * 1024, NEXT_SIZE = 1024, MAX_BODY = 64 * 1024 };

static gale_server_t *server;
static gale_files_t *files;

static bool equals(gale_str_t s, const char *text) {
    return s.len == strlen(text) && memcmp(s.ptr, text, s.len) == 0;
}

/* --------------------------------------------------------------------------- what requests name */

/* The room's name in a query or form; false when it is none, which is answered here. */
static bool room_name(gale_req_t *req, gale_str_t form, char name[ROOM_SIZE]) {
    char given[4 * ROOM_SIZE];
    field_t field = form_field(form, "room", given, sizeof given);
    char *clean = text_trim(given);
    if (field != FIELD_BAD && *clean == '\0') clean = strcpy(given, "lobby");
    clean = field == FIELD_BAD ? NULL : text_name(clean, ROOM_NAME);
    if (clean == NULL) {
        respond_error(req, 400, "not a room name\n");
        return false;
    }
    snprintf(name, ROOM_SIZE, "%s", clean);
    return true;
}

/* The room a form or query names, entered; null after an answer that says why not. */
static room_t *entered(gale_req_t *req, gale_str_t form) {
    char name[ROOM_SIZE];
    if (!room_name(req, form, name)) return NULL;
    room_t *room = room_enter(name);
    if (room == NULL) respond_error(req, 503, "too many rooms\n");
    return room;
}

/* Where a form wants to go next, if that is a place of this site: else "/". */
static void local_target(gale_str_t form, char next[NEXT_SIZE]) {
    bool good =
        form_field(form, "next", next, NEXT_SIZE) == FIELD_OK && next[0] == '/' && next[1] != '/';
    for (const char *c = next; good && *c != '\0'; c++) {
        good = *c > ' ' && *c < 0x7f && *c != '\\';
    }
    if (!good) strcpy(next, "/");
}

/* ---------------------------------------------------------------------------------------- pages */

static void show_login(gale_req_t *req, int status, const char *error, const char *next) {
    char token[TOKEN_SIZE], cookie[COOKIE_SIZE];
    text_t page = {0};
    bool is_new = xsrf_token(req, token);
    xsrf_cookie(token, cookie);
    slot_t slots[] = {{"error", error, true}, {"next", next, false}, {"token", token, false}};
    page_write(&page, PAGE_LOGIN, slots, sizeof slots / sizeof slots[0]);
    respond_html(req, status, &page, is_new ? cookie : NULL);
}

static void get_login(gale_req_t *req) {
    char next[NEXT_SIZE];
    local_target(gale_req_query(req), next);
    show_login(req, 200, "", next);
}

static void post_login(gale_req_t *req) {
    char given[4 * NAME_SIZE], next[NEXT_SIZE], cookie[COOKIE_SIZE];
    gale_str_t form = gale_req_body(req);
    local_target(form, next);
    form_field(form, "name", given, sizeof given);
    const char *name = text_name(given, NAME_LENGTH);
    if (name == NULL) {
        show_login(req, 400,
                   "<p class=\"error\" id=\"error\" role=\"alert\">A name has 1 to 32 "
                   "characters, and not only invisible ones.</p>",
                   next);
        return;
    }
    session_cookie(name, cookie);
    respond_redirect(req, next, cookie);
}

static void post_logout(gale_req_t *req) { respond_redirect(req, "/login", session_over); }

/* Looking at a room that nobody has entered yet does not make it. */
static void get_room(gale_req_t *req, const char *user) {
    char name[ROOM_SIZE], token[TOKEN_SIZE], cookie[COOKIE_SIZE];
    text_t page = {0}, list = {0}, people = {0}, messages = {0}, link = {0};
    if (!room_name(req, gale_req_query(req), name)) return;
    const room_t *room = room_find(name);
    bool is_new = xsrf_token(req, token);
    xsrf_cookie(token, cookie);
    rooms_html(&list, name);
    room_people_html(&people, room);
    room_messages_html(&messages, room, user);
    text_puts(&link, "/?room=");
    text_url(&link, gale_cstr(name));
    slot_t slots[] = {
        {"room", name, false},
        {"name", user, false},
        {"token", token, false},
        {"cursor", room_cursor(room), false},
        {"rooms", text_string(&list), true},
        {"people", text_string(&people), true},
        {"messages", text_string(&messages), true},
        {"link", text_string(&link), false},
    };
    page_write(&page, PAGE_ROOM, slots, sizeof slots / sizeof slots[0]);
    page.failed |= list.failed || people.failed || messages.failed || link.failed;
    text_free(&list);
    text_free(&people);
    text_free(&messages);
    text_free(&link);
    respond_html(req, 200, &page, is_new ? cookie : NULL);
}

/* ------------------------------------------------------------------------------------- messages */

/* From the page's script, which wants the message as JSON, or from its form, which wants a page. */
static void post_message(gale_req_t *req, const char *user) {
    char body[BODY_SIZE], nonce[NONCE_SIZE], next[NEXT_SIZE];
    gale_str_t form = gale_req_body(req);
    form_field(form, "body", body, sizeof body);
    const char *text = text_message(body);
    if (text == NULL || form_field(form, "nonce", nonce, sizeof nonce) == FIELD_BAD) {
        respond_error(req, 400, "empty or too long\n");
        return;
    }
    room_t *room = entered(req, form);
    if (room == NULL) return;
    const message_t *message = room_say(room, user, text, nonce);
    if (message == NULL) {
        respond_error(req, 503, "out of memory\n");
    } else if (form_field(form, "next", next, sizeof next) != FIELD_MISSING) {
        local_target(form, next);
        respond_redirect(req, next, NULL);
    } else {
        text_t json = {0};
        text_add(&json, message->json->bytes, message->json->len);
        respond_json(req, &json);
    }
}

static void post_updates(gale_req_t *req, const char *user) {
    char cursor[ID_SIZE], wait[2];
    gale_str_t form = gale_req_body(req);
    room_t *room = entered(req, form);
    if (room == NULL) return;
    form_field(form, "cursor", cursor, sizeof cursor); /* one that is no id gets everything */
    form_field(form, "wait", wait, sizeof wait);
    if (!room_poll(room, user, req, cursor, strcmp(wait, "0") != 0)) {
        respond_error(req, 503, "too many people here\n");
    }
}

static void on_done(gale_req_t *req, int status, void *data) { room_poll_done(gale_req_data(req)); }

/* ----------------------------------------------------------------------------------- the socket */

static void refuse(gale_ws_t *ws, const char *nonce, const char *reason) {
    text_t json = {0};
    text_puts(&json, "{\"type\":\"error\",\"nonce\":");
    text_json(&json, nonce);
    text_puts(&json, ",\"reason\":");
    text_json(&json, reason);
    text_puts(&json, "}");
    if (!json.failed) gale_ws_send(ws, GALE_WS_TEXT, gale_str(json.bytes, json.len));
    text_free(&json);
}

static void socket_message(gale_ws_t *ws, int kind, gale_str_t bytes, void *data) {
    const member_t *member = data;
    char body[BODY_SIZE], nonce[NONCE_SIZE];
    if (kind != GALE_WS_TEXT || json_member(bytes, "nonce", nonce, sizeof nonce) != FIELD_OK) {
        gale_ws_close(ws, 1007, gale_cstr("want {body, nonce}"));
        return;
    }
    const char *text =
        json_member(bytes, "body", body, sizeof body) == FIELD_OK ? text_message(body) : NULL;
    /* A nonce that was said before, on a connection that broke, has come with the backlog of
     * this. */
    if (text == NULL) {
        refuse(ws, nonce, "This message is empty or too long.");
    } else if (room_say(member_room(member), member_name(member), text, nonce) == NULL) {
        gale_ws_close(ws, 1011, gale_cstr("out of memory"));
    }
}

static void socket_close(gale_ws_t *ws, int code, gale_str_t reason, void *data) {
    if (data != NULL) room_leave(data);
}

static void get_socket(gale_req_t *req, const char *user) {
    char cursor[ID_SIZE];
    if (!gale_req_same_origin(req)) { /* a page of another site, with our user's cookie */
        respond_error(req, 403, "this is another site's page\n");
        return;
    }
    room_t *room = entered(req, gale_req_query(req));
    if (room == NULL) return;
    form_field(gale_req_query(req), "cursor", cursor, sizeof cursor);
    gale_ws_handler_t handler = gale_ws_handler();
    handler.on_message = socket_message;
    handler.on_close = socket_close;
    gale_ws_t *ws;
    if (gale_ws_accept(req, &handler, NULL, NULL, 0, &ws) < 0) return; /* and is answered */
    member_t *member = room_join(room, user, ws, cursor);
    if (member == NULL) {
        gale_ws_close(ws, 1013, gale_cstr("too many people here"));
    } else {
        gale_ws_set_data(ws, member);
    }
}

/* --------------------------------------------------------------------------------------- routes */

typedef struct {
    const char *method, *path;
    void (*open)(gale_req_t *req);                   /* for everybody */
    void (*user)(gale_req_t *req, const char *user); /* for those who are logged in */
} route_t;

static const route_t routes[] = {
    {"GET", "/", NULL, get_room},
    {"GET", "/login", get_login, NULL},
    {"POST", "/login", post_login, NULL},
    {"POST", "/logout", post_logout, NULL},
    {"POST", "/a/message/new", NULL, post_message},
    {"POST", "/a/message/updates", NULL, post_updates},
    {"GET", "/chatsocket", NULL, get_socket},
};

static void take(gale_req_t *req, const route_t *route) {
    char user[NAME_SIZE];
    bool is_post = strcmp(route->method, "POST") == 0;
    if (is_post && !xsrf_check(req)) {
        respond_error(req, 403, "the form's _xsrf does not match\n");
    } else if (route->open != NULL) {
        route->open(req);
    } else if (session_user(req, user)) {
        route->user(req, user);
    } else if (is_post || gale_req_wants_websocket(req)) {
        respond_error(req, 403, "log in first\n");
    } else {
        text_t to = {0};
        gale_str_t target = gale_req_target(req);
        text_puts(&to, "/login?next=");
        text_url(&to, target);
        respond_redirect(req, target.len < NEXT_SIZE ? text_string(&to) : "/login", NULL);
        text_free(&to);
    }
}

static void serve_static(gale_req_t *req, gale_str_t path) {
    gale_header_t headers[] = {
        {gale_cstr("Cache-Control"), gale_cstr("no-cache")}, /* it asks, and is told 304 */
        {gale_cstr("X-Content-Type-Options"), gale_cstr("nosniff")},
    };
    int status = gale_files_serve(files, req, path, headers, 2);
    if (status == 405) {
        respond_not_allowed(req, "GET, HEAD");
    } else if (status != GALE_OK) {
        respond_error(req, status > 0 ? status : 500, "there is no such file\n");
    }
}

static void on_request(gale_req_t *req, void *data) {
    static const char prefix[] = "/static/";
    gale_str_t path = gale_req_path(req), method = gale_req_method(req);
    const char *allowed = NULL;
    if (path.len >= strlen(prefix) && memcmp(path.ptr, prefix, strlen(prefix)) == 0) {
        serve_static(req, gale_str(path.ptr + strlen(prefix), path.len - strlen(prefix)));
        return;
    }
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        const route_t *route = &routes[i];
        if (!equals(path, route->path)) continue;
        bool is_head = strcmp(route->method, "GET") == 0 && equals(method, "HEAD");
        if (is_head || equals(method, route->method)) {
            take(req, route);
            return;
        }
        allowed = allowed == NULL ? route->method : "GET, POST";
    }
    if (allowed != NULL) {
        respond_not_allowed(req, allowed);
    } else {
        respond_error(req, 404, "there is nothing here\n");
    }
}

/* --------------------------------------------------------------------------------- command line */

typedef struct {
    const char *host, *port, *files;
} options_t;

static const char usage[] = "usage: chat-c [--port 8888] [--host 127.0.0.1] [--files FOLDER]\n";

static options_t parse(int argc, char **argv) {
    options_t o = {.host = "127.0.0.1", .port = "8888", .files = CHAT_FILES};
    for (int i = 1; i < argc; i++) {
        const char *flag = argv[i];
        take_help(flag, usage);
        const char **text = strcmp(flag, "--port") == 0    ? &o.port
                            : strcmp(flag, "--host") == 0  ? &o.host
                            : strcmp(flag, "--files") == 0 ? &o.files
                                                           : NULL;
        if (text == NULL) bad_usage("chat-c", "unknown argument", flag);
        if (++i == argc) bad_usage("chat-c", "no value for", flag);
        *text = argv[i];
    }
    take_port("chat-c", o.port);
    return o;
}

/* A second one cuts what is still open. */
static void on_signal(int number) {
    rooms_stop();
    gale_server_stop(server);
}

static void on_signals(void (*handler)(int)) {
    signal(SIGINT, handler);
    signal(SIGTERM, handler);
}

static void on_worker_start(gale_worker_t *worker, void *data) {
    if (!rooms_open(worker, server)) gale_server_stop(server);
}

static void on_worker_stop(gale_worker_t *worker, void *data) { rooms_close(); }

static _Noreturn void fail(const char *what, const char *why) {
    fprintf(stderr, "chat-c: %s%s\n", what, why);
    gale_server_free(server);
    gale_files_free(files);
    pages_close();
    exit(1);
}

static void open_files(const char *folder) {
    char path[4096];
    snprintf(path, sizeof path, "%s/c/chat", folder);
    const char *missing = pages_open(path);
    if (missing != NULL) fail("cannot read c/chat/", missing);
    snprintf(path, sizeof path, "%s/chat/static", folder);
    int status = gale_files_open(&files, path);
    if (status < 0) fail("chat/static: ", gale_strerror(status));
}

static void listen_on(const options_t *o) {
    char url[512];
    bool is_ipv6 = strchr(o->host, ':') != NULL;
    const char *open = is_ipv6 ? "[" : "", *close = is_ipv6 ? "]" : "";
    snprintf(url, sizeof url, "http://%s%s%s:%s", open, o->host, close, o->port);
    if (gale_server_listen(server, url) < 0) fail("", gale_server_errmsg(server));
    printf("the chat is at http://%s%s%s:%d\n", open, o->host, close, gale_server_port(server, 0));
    fflush(stdout);
}

int main(int argc, char **argv) {
    options_t options = parse(argc, argv);
    if (!session_start()) fail("no random numbers", "");
    open_files(options.files);

    gale_config_t config = gale_config();
    config.workers = 1; /* so that rooms need no lock; it serves thousands */
    config.max_body_bytes = MAX_BODY;
    config.ws_max_message_bytes = MAX_BODY;
    config.write_limit = 8 << 20; /* a socket that does not read is cut */
    config.shutdown_grace_ms = 5000;
    gale_handler_t handler = gale_handler();
    handler.on_request = on_request;
    handler.on_done = on_done;
    handler.on_worker_start = on_worker_start;
    handler.on_worker_stop = on_worker_stop;
    int status = gale_server_new(&server, &config);
    if (status < 0) fail("", gale_strerror(status));
    gale_server_handle(server, &handler, NULL);
    listen_on(&options);

    on_signals(on_signal);
    status = gale_server_run(server);
    on_signals(SIG_IGN); /* there is nothing left to stop */
    if (status < 0) fail("", gale_server_errmsg(server));
    gale_server_free(server);
    gale_files_free(files);
    pages_close();
    return 0;
}
