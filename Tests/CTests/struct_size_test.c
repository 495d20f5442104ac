/* The structs that grow, as callers built with another gale.h hand them in: each at the end of a
 * page, before one that may not be touched. Every public struct with a struct_size has its row here;
 * .ci/header sees to that. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rig.h"
#include "rig_ws.h"

enum { ROOM = 4 * 4096 }; /* for the longest struct that is tried */

/* The last `size` bytes, aligned as a struct is, before a page that may not be read or written;
 * zeroed. */
static void *at_the_edge(size_t size) {
    static char *room;
    if (room == NULL) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE), len = (ROOM + page - 1) / page * page;
        char *map = mmap(NULL, len + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
        if (map == MAP_FAILED || mprotect(map + len, page, PROT_NONE) != 0) abort();
        room = map + len - ROOM;
    }
    memset(room, 0, ROOM);
    return room + (ROOM - size) / sizeof size * sizeof size;
}

/* ------------------------------------------------------------------------------------- the structs
 *
 * `fill` gives a struct that init has made what it must have, within the fields of the first
 * version. `take` hands it in as a caller would, overwrites it, since it is copied, and lets the
 * server work with it; the result is that of the call. */

static void overwrite(void *given, int err) {
    size_t size;
    memcpy(&size, given, sizeof size);
    if (err == 0) memset(given, 0x5a, size);
}

static void config_init(void *s, size_t size) {
    gale_config_init(s, size);
}
static void config_fill(void *s) {
    ((gale_config_t *)s)->workers = 7;
}
static int config_take(void *given) {
    gale_server_t *server = NULL;
    int err = gale_server_new(&server, given);
    overwrite(given, err);
    CHECK(err < 0 || gale_server_workers(server) == 7);
    gale_server_free(server);
    return err;
}

static void hello(gale_req_t *req, void *data) {
    CHECK_EQ_INT(gale_respond_text(req, 200, data), 0);
}

static void handler_init(void *s, size_t size) {
    gale_handler_init(s, size);
}
static void handler_fill(void *s) {
    ((gale_handler_t *)s)->on_request = hello;
}
static int handler_take(void *given) {
    rig_t rig = {0};
    char out[512], text[] = "hello";
    CHECK_EQ_INT(uv_loop_init(&rig.loop), 0);
    CHECK_EQ_INT(gale_server_new(&rig.server, NULL), 0);
    int err = gale_server_handle(rig.server, given, text);
    overwrite(given, err);
    if (err == 0) {
        CHECK_EQ_INT(gale_server_attach(rig.server, &rig.loop), 0);
        rig.worker = gale_server_worker(rig.server, 0);
        rig_ask(&rig, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", out, sizeof out);
        CHECK(rig_has(gale_cstr(out), "\r\n\r\nhello"));
    }
    rig_close(&rig);
    return err;
}

typedef struct {
    void *given;
    int err;
    unsigned closes;
} upgrade_t;

static void ws_closed(gale_ws_t *ws, int code, gale_str_t reason, void *data) {
    (void)ws, (void)code, (void)reason;
    ((upgrade_t *)data)->closes++;
}
static void ws_handler_init(void *s, size_t size) {
    gale_ws_handler_init(s, size);
}
static void ws_handler_fill(void *s) {
    ((gale_ws_handler_t *)s)->on_close = ws_closed;
}
static void upgrade(rig_t *rig, gale_req_t *req) {
    upgrade_t *u = rig->arg;
    gale_ws_t *ws;
    u->err = gale_ws_accept(req, u->given, u, NULL, 0, &ws);
    overwrite(u->given, u->err);
    if (u->err < 0) CHECK_EQ_INT(gale_respond_text(req, 500, "no"), 0);
}
static int ws_handler_take(void *given) {
    rig_t rig;
    char out[512];
    upgrade_t u = {.given = given, .err = 1};
    rig_init(&rig);
    rig.request = upgrade;
    rig.arg = &u;
    rig_open(&rig);
    rig_ask(&rig, RIG_UPGRADE, out, sizeof out); /* and leaves, which closes the socket */
    CHECK_EQ_UINT(u.closes, u.err == 0);
    rig_close(&rig);
    return u.err;
}

static void ws_options_init(void *s, size_t size) {
    gale_ws_options_init(s, size);
}
static void ws_options_fill(void *s) {
    static const gale_header_t cookie = {{"Set-Cookie", 10}, {"a=b", 3}};
    ((gale_ws_options_t *)s)->headers = &cookie;
    ((gale_ws_options_t *)s)->header_count = 1;
}
static void upgrade_with(rig_t *rig, gale_req_t *req) {
    upgrade_t *u = rig->arg;
    gale_ws_t *ws;
    gale_ws_handler_t h = gale_ws_handler();
    h.on_close = ws_closed;
    u->err = gale_ws_accept_with(req, &h, u, u->given, &ws);
    overwrite(u->given, u->err);
    if (u->err < 0) CHECK_EQ_INT(gale_respond_text(req, 500, "no"), 0);
}
static int ws_options_take(void *given) {
    rig_t rig;
    char out[512];
    upgrade_t u = {.given = given, .err = 1};
    rig_init(&rig);
    rig.request = upgrade_with;
    rig.arg = &u;
    rig_open(&rig);
    rig_ask(&rig, RIG_UPGRADE, out, sizeof out);
    CHECK_EQ_UINT(u.closes, u.err == 0);
    if (u.err == 0) CHECK(rig_has(gale_cstr(out), "Set-Cookie: a=b\r\n"));
    rig_close(&rig);
    return u.err;
}

static void connect_options_init(void *s, size_t size) {
    gale_ws_connect_options_init(s, size);
}
static void connect_options_fill(void *s) {
    ((gale_ws_connect_options_t *)s)->connect_timeout_ms = 5000;
}
/* Nobody listens there: what counts is that it was begun, and ends. */
static int connect_options_take(void *given) {
    rig_t rig;
    upgrade_t u = {.given = given};
    gale_ws_handler_t h = gale_ws_handler();
    h.on_close = ws_closed;
    rig_init(&rig);
    rig_open(&rig);
    gale_str_t url = gale_cstr("ws+unix:/nowhere/at/all:/");
    int err = gale_ws_connect(rig.worker, url, &h, &u, given, NULL);
    overwrite(given, err);
    if (err == 0) rig_until(&rig, &u.closes, 1, 2000);
    CHECK_EQ_UINT(u.closes, err == 0);
    rig_close(&rig);
    return err;
}

static void tunnel_closed(gale_tunnel_t *tunnel, int status, void *data) {
    (void)tunnel, (void)status;
    ((upgrade_t *)data)->closes++;
}
static void tunnel_handler_init(void *s, size_t size) {
    gale_tunnel_handler_init(s, size);
}
static void tunnel_handler_fill(void *s) {
    ((gale_tunnel_handler_t *)s)->on_close = tunnel_closed;
}
static void make_tunnel(rig_t *rig, gale_req_t *req) {
    upgrade_t *u = rig->arg;
    u->err = gale_tunnel_accept(req, gale_cstr("x"), u->given, u, NULL, 0, NULL);
    overwrite(u->given, u->err);
    if (u->err < 0) CHECK_EQ_INT(gale_respond_text(req, 500, "no"), 0);
}
static int tunnel_handler_take(void *given) {
    rig_t rig;
    char out[512];
    upgrade_t u = {.given = given, .err = 1};
    rig_init(&rig);
    rig.request = make_tunnel;
    rig.arg = &u;
    rig_open(&rig);
    rig_ask(&rig, "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", out,
            sizeof out);
    CHECK_EQ_UINT(u.closes, u.err == 0);
    rig_close(&rig);
    return u.err;
}

typedef struct {
    void *given;
    int err;
    unsigned ends;
} form_read_t;

static void form_ended(gale_form_t *form, int status, void *data) {
    ((form_read_t *)data)->ends++;
    CHECK_EQ_INT(status, GALE_OK);
    CHECK_EQ_STR(gale_form_value(form, gale_cstr("a")), "1");
    CHECK_EQ_INT(gale_respond_text(gale_form_req(form), 200, "ok"), 0);
}
static void form_handler_init(void *s, size_t size) {
    gale_form_handler_init(s, size);
}
static void form_handler_fill(void *s) {
    ((gale_form_handler_t *)s)->on_end = form_ended;
}
static void read_form(rig_t *rig, gale_req_t *req) {
    form_read_t *f = rig->arg;
    f->err = gale_form_read(req, f->given, f);
    overwrite(f->given, f->err);
    if (f->err < 0) CHECK_EQ_INT(gale_respond_text(req, 500, "no"), 0);
}
static int form_handler_take(void *given) {
    rig_t rig;
    char out[512];
    form_read_t f = {.given = given, .err = 1};
    rig_init(&rig);
    rig.request = read_form;
    rig.arg = &f;
    rig_open(&rig);
    rig_ask(&rig,
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            "Content-Length: 3\r\n\r\na=1",
            out, sizeof out);
    CHECK_EQ_UINT(f.ends, f.err == 0);
    rig_close(&rig);
    return f.err;
}

static void peer_closed(gale_peer_t *peer, void *data) {
    (void)peer;
    ++*(unsigned *)data;
}
static void peer_handler_fill(void *s) {
    ((gale_peer_handler_t *)s)->on_close = peer_closed;
}
static int peer_handler_take(void *given) {
    rig_t rig;
    gale_peer_t *peer;
    unsigned closes = 0;
    rig_init(&rig);
    rig_open(&rig);
    int err = gale_peer_open(rig.worker, given, &closes, &peer);
    overwrite(given, err);
    if (err == 0) gale_peer_close(peer);
    rig_turn(&rig, 5);
    CHECK_EQ_UINT(closes, err == 0);
    rig_close(&rig);
    return err;
}

static void sse_event_fill(void *s) {
    ((gale_sse_event_t *)s)->data = gale_cstr("x");
}
static int sse_event_take(void *given) {
    char out[32];
    int64_t len = gale_sse_format(out, sizeof out, given);
    if (len > 0) CHECK_EQ_STR(gale_str(out, (size_t)len), "data: x\n\n");
    return len < 0 ? (int)len : 0;
}

static void limiter_fill(void *s) {
    ((gale_limiter_config_t *)s)->tokens = 2;
}
static int limiter_take(void *given) {
    gale_limiter_t *limiter = NULL;
    int err = gale_limiter_new(&limiter, given);
    overwrite(given, err);
    for (int i = 0; err == 0 && i < 3; i++) {
        CHECK((gale_limiter_take(limiter, gale_cstr("key"), 1, 1000) > 0) == (i == 2));
    }
    gale_limiter_free(limiter);
    return err;
}

static void stats_fill(void *s) {
    (void)s;
}
static int stats_take(void *given) {
    gale_server_t *server = NULL;
    CHECK_EQ_INT(gale_server_new(&server, NULL), 0);
    int err = gale_stats(server, given);
    CHECK(err < 0 || ((gale_stats_t *)given)->requests == 0);
    gale_server_free(server);
    return err;
}

static void files_config_init(void *s, size_t size) {
    gale_files_config_init(s, size);
}
static void files_config_fill(void *s) {
    ((gale_files_config_t *)s)->version_max_age = 60;
}
static int files_config_take(void *given) {
    gale_files_t *files = NULL;
    int err = gale_files_open_with(&files, "/", given);
    overwrite(given, err);
    gale_files_free(files);
    return err;
}

/* Up to and with the last field of the version in which the struct came: nothing shorter was ever
 * compiled. */
#define UP_TO(type, field) (offsetof(type, field) + sizeof(((type *)0)->field))

typedef struct {
    const char *name;
    size_t known, first;
    void (*init)(void *s, size_t size); /* null: callers fill it by hand */
    void (*fill)(void *s);
    int (*take)(void *s);
} growing_t;

static const growing_t structs[] = {
    {"gale_config_t", sizeof(gale_config_t), UP_TO(gale_config_t, no_server_header), config_init,
     config_fill, config_take},
    {"gale_handler_t", sizeof(gale_handler_t), UP_TO(gale_handler_t, on_worker_stop), handler_init,
     handler_fill, handler_take},
    {"gale_ws_handler_t", sizeof(gale_ws_handler_t), UP_TO(gale_ws_handler_t, on_close),
     ws_handler_init, ws_handler_fill, ws_handler_take},
    {"gale_ws_options_t", sizeof(gale_ws_options_t), UP_TO(gale_ws_options_t, header_count),
     ws_options_init, ws_options_fill, ws_options_take},
    {"gale_ws_connect_options_t", sizeof(gale_ws_connect_options_t),
     UP_TO(gale_ws_connect_options_t, idle_timeout_ms), connect_options_init, connect_options_fill,
     connect_options_take},
    {"gale_tunnel_handler_t", sizeof(gale_tunnel_handler_t), UP_TO(gale_tunnel_handler_t, on_close),
     tunnel_handler_init, tunnel_handler_fill, tunnel_handler_take},
    {"gale_form_handler_t", sizeof(gale_form_handler_t), UP_TO(gale_form_handler_t, on_end),
     form_handler_init, form_handler_fill, form_handler_take},
    {"gale_peer_handler_t", sizeof(gale_peer_handler_t), UP_TO(gale_peer_handler_t, on_close), NULL,
     peer_handler_fill, peer_handler_take},
    {"gale_limiter_config_t", sizeof(gale_limiter_config_t), UP_TO(gale_limiter_config_t, max_keys),
     NULL, limiter_fill, limiter_take},
    {"gale_sse_event_t", sizeof(gale_sse_event_t), UP_TO(gale_sse_event_t, retry_ms), NULL,
     sse_event_fill, sse_event_take},
    {"gale_stats_t", sizeof(gale_stats_t), UP_TO(gale_stats_t, blocks_held), NULL, stats_fill,
     stats_take},
    {"gale_files_config_t", sizeof(gale_files_config_t),
     UP_TO(gale_files_config_t, no_precompressed), files_config_init, files_config_fill,
     files_config_take},
};
enum { STRUCTS = sizeof structs / sizeof structs[0], STEP = sizeof(size_t) };

/* One of that size, as its own header would make it: at the edge, and zero beyond what is known. */
static void *made(const growing_t *g, size_t size) {
    void *s = at_the_edge(size);
    if (g->init != NULL) {
        g->init(s, size);
    } else {
        memcpy(s, &size, sizeof size);
    }
    g->fill(s);
    return s;
}

/* ------------------------------------------------------------------------------------------ tests */

TEST(struct_size, older_ones_are_taken_and_nothing_behind_them_is_read) {
    for (const growing_t *g = structs; g < structs + STRUCTS; g++) {
        CHECK(g->first <= g->known);
        for (size_t size = (g->first + STEP - 1) / STEP * STEP; size <= g->known; size += STEP) {
            int err = g->take(made(g, size));
            CHECK_MSG(err == 0, "%s of %zu: %s", g->name, size, gale_err_name(err));
        }
    }
}

TEST(struct_size, shorter_than_the_first_is_eversion) {
    for (const growing_t *g = structs; g < structs + STRUCTS; g++) {
        for (size_t size = 0; size < g->first; size++) {
            void *s = at_the_edge(size < sizeof size ? sizeof size : size);
            memcpy(s, &size, sizeof size);
            int err = g->take(s);
            CHECK_MSG(err == GALE_EVERSION, "%s of %zu: %s", g->name, size, gale_err_name(err));
        }
    }
}

TEST(struct_size, longer_ones_are_taken_when_the_rest_is_zero) {
    for (const growing_t *g = structs; g < structs + STRUCTS; g++) {
        for (size_t more = STEP; more <= 128; more += STEP) {
            CHECK_MSG(g->take(made(g, g->known + more)) == 0, "%s and %zu", g->name, more);
        }
        for (size_t i = g->known; i < g->known + 64; i++) {
            char *s = made(g, g->known + 64);
            s[i] = 1;
            CHECK_MSG(g->take(s) == GALE_EVERSION, "%s with byte %zu set", g->name, i);
        }
    }
}

/* One that was never filled must not lead the library through all of memory. */
TEST(struct_size, an_absurd_one_is_eversion) {
    static const size_t sizes[] = {4097, ROOM, SIZE_MAX / 2, SIZE_MAX};
    for (const growing_t *g = structs; g < structs + STRUCTS; g++) {
        CHECK_EQ_INT(g->take(made(g, 4096)), 0);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            void *s = made(g, g->known);
            memcpy(s, &sizes[i], sizeof sizes[i]);
            int err = g->take(s);
            CHECK_MSG(err == GALE_EVERSION, "%s of %zu: %s", g->name, sizes[i], gale_err_name(err));
        }
    }
}

TEST(struct_size, init_writes_the_callers_struct_and_nothing_else) {
    unsigned char whole[1024], *s;
    for (const growing_t *g = structs; g < structs + STRUCTS; g++) {
        if (g->init == NULL) continue;
        REQUIRE(g->known <= sizeof whole);
        g->init(whole, g->known);
        for (size_t size = 0; size <= g->known + 64; size++) {
            s = at_the_edge(size);
            s[-1] = 0x77;
            memset(s, 0xee, (size + STEP - 1) / STEP * STEP);
            g->init(s, size);
            CHECK_EQ_UINT(s[-1], 0x77);
            if (size < sizeof size) continue; /* not even room for struct_size */
            size_t same = size < g->known ? size : g->known;
            CHECK_EQ_MEM(s, &size, sizeof size);
            CHECK_EQ_MEM(s + sizeof size, whole + sizeof size, same - sizeof size);
            for (size_t i = same; i < size; i++) CHECK_EQ_UINT(s[i], 0);
            for (size_t i = size; i % STEP != 0; i++) CHECK_EQ_UINT(s[i], 0xee);
        }
    }
}
