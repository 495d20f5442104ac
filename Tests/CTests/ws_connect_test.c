/* WebSockets that this process opens, to a server of its own over real sockets: WS-19. */
#include <stdio.h>
#include <unistd.h>

#include "rig_connect.h"
#include "server.h"
#include "str.h"
#include "worker.h"
#include "ws.h"

/* A server whose every request becomes a WebSocket, and one that is opened to it. */
typedef struct {
    rig_t rig;
    rig_ws_t server;
    rig_dialed_t client;
    int port;
} pair_t;

static void pair_init(pair_t *p) {
    rig_init(&p->rig);
    p->server = (rig_ws_t){.echo = true};
    rig_dialed_init(&p->client);
    p->rig.request = rig_ws_accept;
    p->rig.arg = &p->server;
    p->rig.keep_log = false;
    p->rig.url = "http://127.0.0.1:0";
}

static bool pair_open(pair_t *p) {
    rig_open(&p->rig);
    p->port = gale_server_port(p->rig.server, 0);
    CHECK_EQ_INT(rig_dial(&p->rig, &p->client, "ws://127.0.0.1:%d/ws?x=1", p->port), 0);
    return rig_dialed_open(&p->rig, &p->client);
}

static void pair_close(pair_t *p) {
    if (p->client.ws.ws != NULL) gale_ws_abort(p->client.ws.ws);
    rig_dialed_closed(&p->rig, &p->client);
    RIG_TURN_TO(&p->rig, p->server.ws == NULL);
    rig_close(&p->rig);
    rig_dialed_free(&p->client);
    rig_text_free(&p->server.log);
}

#define PAIR_TEST(name)                                                                            \
    static void pair_##name(pair_t *p);                                                            \
    TEST(ws_connect, name) {                                                                       \
        static pair_t pair;                                                                        \
        pair_init(&pair);                                                                          \
        REQUIRE(pair_open(&pair));                                                                 \
        pair_##name(&pair);                                                                        \
        pair_close(&pair);                                                                         \
    }                                                                                              \
    static void pair_##name(pair_t *p)

/* Sends, and waits for it to come back; CHECKs that it is the same. */
static gale_str_t expected;
static unsigned same;
static void compare(gale_ws_t *ws, int kind, gale_str_t bytes) {
    (void)ws;
    (void)kind;
    same += gale__eq(bytes, expected);
}

static void converse(pair_t *p) {
    static const size_t sizes[] = {0,    1,    63,   64,    125,   126,   127,    1000,
                                   4096, 4097, 9000, 65535, 65536, 70000, 300000, 100};
    p->client.ws.message = compare;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int kind = GALE_WS_TEXT; kind <= GALE_WS_BINARY; kind++) {
            expected = gale_str(rig_pattern(sizes[i]), sizes[i]);
            if (kind == GALE_WS_TEXT) { /* of UTF-8 */
                static char letters[300000];
                memset(letters, 'a', sizes[i]);
                for (size_t k = 0; k < sizes[i]; k += 7) letters[k] = (char)('b' + k % 13);
                expected = gale_str(letters, sizes[i]);
            }
            unsigned before = p->client.ws.messages;
            same = 0;
            CHECK(gale_ws_send(p->client.ws.ws, kind, expected) >= 0);
            RIG_TURN_TO(&p->rig, p->client.ws.messages > before || p->client.ws.closes > 0);
            CHECK_MSG(same == 1, "%zu bytes of kind %d came back otherwise", sizes[i], kind);
        }
    }
}

PAIR_TEST(messages_of_all_sizes_come_back) {
    CHECK_EQ_STR(gale_str(p->client.ws.log.text, 6), "O 101 ");
    converse(p);
}

PAIR_TEST(an_owned_buffer_is_taken_and_stays_as_it_is) {
    static char text[70000];
    unsigned freed = 0;
    memset(text, 'x', sizeof text);
    expected = gale_str(text, sizeof text);
    same = 0;
    p->client.ws.message = compare;
    gale_buf_t buf = rig_buf(text, sizeof text, &freed);
    CHECK(gale_ws_send_buf(p->client.ws.ws, GALE_WS_TEXT, buf) >= 0);
    CHECK_EQ_UINT(freed, 1);
    RIG_TURN_TO(&p->rig, p->client.ws.messages > 0);
    CHECK_EQ_UINT(same, 1);
    CHECK(text[0] == 'x' && text[69999] == 'x');
}

PAIR_TEST(pings_are_answered_both_ways) {
    CHECK_EQ_INT(gale_ws_ping(p->client.ws.ws, gale_cstr("to")), 0);
    CHECK_EQ_INT(gale_ws_ping(p->server.ws, gale_cstr("fro")), 0);
    RIG_TURN_TO(&p->rig, p->client.ws.pongs > 0 && p->server.pongs > 0);
    CHECK_EQ_UINT(p->server.pings, 1);
    CHECK_EQ_UINT(p->client.ws.pings, 1);
    CHECK(rig_has(gale_cstr(p->client.ws.log.text), "Q to;"));
    CHECK(rig_has(gale_cstr(p->server.log.text), "Q fro;"));
}

PAIR_TEST(it_closes) {
    CHECK_EQ_INT(gale_ws_close(p->client.ws.ws, 3001, gale_cstr("enough")), 0);
    CHECK_EQ_INT(gale_ws_send(p->client.ws.ws, 1, gale_cstr("late")), GALE_ESTATE);
    CHECK(rig_dialed_closed(&p->rig, &p->client));
    RIG_TURN_TO(&p->rig, p->server.closes > 0);
    CHECK_EQ_INT(p->client.ws.code, 3001);
    CHECK_EQ_STR(gale_cstr(p->server.log.text), "C 3001 enough;");
}

PAIR_TEST(the_server_closes) {
    CHECK_EQ_INT(gale_ws_close(p->server.ws, 1000, gale_cstr("bye")), 0);
    CHECK(rig_dialed_closed(&p->rig, &p->client));
    CHECK_EQ_STR(gale_cstr(p->client.ws.log.text), "O 101 ;C 1000 bye;");
}

/* gale_server_stop: 1001 from both sides. */
PAIR_TEST(a_stopping_server_closes_it) {
    CHECK_EQ_INT(gale_server_stop(p->rig.server), 0);
    CHECK(rig_dialed_closed(&p->rig, &p->client));
    CHECK_EQ_INT(p->client.ws.code, 1001);
}

PAIR_TEST(it_is_cut) {
    gale_ws_abort(p->client.ws.ws);
    CHECK(rig_dialed_closed(&p->rig, &p->client));
    RIG_TURN_TO(&p->rig, p->server.closes > 0);
    CHECK_EQ_INT(p->client.ws.code, 1006);
    CHECK_EQ_INT(p->server.code, 1006);
}

PAIR_TEST(a_reference_sends_on_it) {
    gale_ref_t ref = gale_ws_ref(p->client.ws.ws);
    unsigned freed = 0;
    CHECK_EQ_INT(
        gale_ref_send(p->rig.server, ref, GALE_WS_TEXT, rig_buf("by reference", 12, &freed)), 0);
    RIG_TURN_TO(&p->rig, p->client.ws.messages > 0);
    CHECK(rig_has(gale_cstr(p->client.ws.log.text), "M1 12 by reference;"));
    CHECK_EQ_UINT(freed, 1);
}

PAIR_TEST(figures) {
    gale_stats_t s = {.struct_size = sizeof s};
    CHECK_EQ_INT(gale_stats(p->rig.server, &s), 0);
    CHECK_EQ_UINT(s.connections_accepted, 1);
    CHECK_EQ_UINT(s.connections_open, 1);
    CHECK_EQ_UINT(s.websockets_open, 2);
    CHECK_EQ_UINT(s.connects, 1);
    CHECK_EQ_UINT(s.connects_open, 1);
    CHECK_EQ_UINT(s.connects_failed, 0);
    gale_ws_close(p->client.ws.ws, 1000, gale_str(NULL, 0));
    CHECK(rig_dialed_closed(&p->rig, &p->client));
    RIG_TURN_TO(&p->rig, p->server.closes > 0);
    CHECK_EQ_INT(gale_stats(p->rig.server, &s), 0);
    CHECK_EQ_UINT(s.connections_open, 0);
    CHECK_EQ_UINT(s.websockets_open, 0);
    CHECK_EQ_UINT(s.connects_open, 0);
}

/* A socket of each side subscribes; what is published goes to the other end of each. */
PAIR_TEST(it_subscribes_to_topics) {
    static const char small[] = "to all";
    static char large[50000];
    memset(large, 'L', sizeof large);
    p->server.echo = false;
    CHECK_EQ_INT(gale_ws_subscribe(p->client.ws.ws, gale_cstr("t")), 0);
    CHECK_EQ_INT(gale_ws_subscribe(p->server.ws, gale_cstr("t")), 0);
    CHECK_EQ_INT(gale_publish(p->rig.server, gale_cstr("t"), GALE_WS_TEXT, gale_cstr(small)), 0);
    CHECK_EQ_INT(
        gale_publish(p->rig.server, gale_cstr("t"), GALE_WS_BINARY, gale_str(large, sizeof large)),
        0);
    RIG_TURN_TO(&p->rig, p->server.messages == 2 && p->client.ws.messages == 2);
    CHECK(rig_has(gale_cstr(p->server.log.text), "M1 6 to all;M2 50000 LLL"));
    CHECK(rig_has(gale_cstr(p->client.ws.log.text), "M1 6 to all;M2 50000 LLL"));
    gale_ws_send(p->client.ws.ws, GALE_WS_TEXT, gale_cstr("behind"));
    RIG_TURN_TO(&p->rig, p->server.messages == 3);
    CHECK(rig_has(gale_cstr(p->server.log.text), "M1 6 behind;"));
}

/* It compresses, and its own server, whose topics these are, does not. */
TEST(ws_connect, one_that_compresses_subscribes_where_nobody_does) {
    static pair_t p;
    static char text[3000];
    memset(text, 'z', sizeof text);
    pair_init(&p);
    p.rig.config.ws_deflate = 1;
    p.client.options.deflate = 1;
    REQUIRE(pair_open(&p));
    p.server.echo = false;
    p.rig.server->config.ws_deflate = 0; /* as if the other end were another server */
    CHECK_EQ_INT(gale_ws_subscribe(p.client.ws.ws, gale_cstr("t")), 0);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ_INT(
            gale_publish(p.rig.server, gale_cstr("t"), GALE_WS_TEXT, gale_str(text, sizeof text)),
            0);
    }
    RIG_TURN_TO(&p.rig, p.server.messages == 20);
    CHECK_EQ_UINT(p.server.messages, 20);
    pair_close(&p);
}

/* What the server does not read makes it wait, and on_drain tells when it has. */
PAIR_TEST(it_is_told_to_wait) {
    static char text[60000];
    int full = 0, sent = 0;
    memset(text, 'w', sizeof text);
    p->server.echo = false;
    gale_ws_pause(p->server.ws);
    for (; full == 0 && sent < 1000; sent++) {
        full = gale_ws_send(p->client.ws.ws, GALE_WS_BINARY, gale_str(text, sizeof text));
        rig_turn(&p->rig, 1);
    }
    CHECK_EQ_INT(full, 1);
    CHECK(gale_ws_queued(p->client.ws.ws) > 65536);
    gale_ws_resume(p->server.ws);
    RIG_TURN_TO(&p->rig, p->client.ws.drains > 0 && p->server.messages == (unsigned)sent);
    CHECK_EQ_UINT(p->client.ws.drains, 1);
    CHECK_EQ_UINT(p->server.messages, sent);
}

/* ------------------------------------------------------------------------------------ compression */

/* Every mode of the client with every one of the server. */
TEST(ws_connect, compressed_in_every_way) {
    static pair_t p;
    static const uint32_t bits[] = {0, 9, 15};
    for (uint32_t i = 0; i < 3 * 3 * 3; i++) {
        pair_init(&p);
        p.rig.config.ws_deflate = i % 3;
        p.client.options.deflate = i / 3 % 3;
        p.client.options.deflate_window_bits = bits[i / 9];
        REQUIRE(pair_open(&p));
        bool both = (gale_codings() & GALE_CODING_DEFLATE) != 0 && i % 3 > 0 && i / 3 % 3 > 0;
        CHECK_EQ_INT(p.client.ws.ws->send_bits > 0, both);
        CHECK_EQ_INT(p.server.ws->send_bits > 0, both);
        converse(&p);
        gale_ws_close(p.client.ws.ws, 1000, gale_str(NULL, 0));
        CHECK(rig_dialed_closed(&p.rig, &p.client));
        RIG_TURN_TO(&p.rig, p.server.closes > 0);
        CHECK_EQ_UINT(p.rig.worker->ws_coders.kept.used, 0);
        pair_close(&p);
    }
}

/* -------------------------------------------------------------------------------- its own limits */

TEST(ws_connect, a_message_may_be_too_big_for_it_alone) {
    static pair_t p;
    pair_init(&p);
    p.client.options.max_message_bytes = 1000;
    REQUIRE(pair_open(&p));
    gale_ws_send(p.server.ws, GALE_WS_BINARY, gale_str(rig_pattern(1001), 1001));
    CHECK(rig_dialed_closed(&p.rig, &p.client));
    CHECK_EQ_INT(p.client.ws.code, 1009);
    RIG_TURN_TO(&p.rig, p.server.closes > 0);
    CHECK_EQ_INT(p.server.code, 1009);
    pair_close(&p);
}

TEST(ws_connect, it_pings_by_itself) {
    static pair_t p;
    pair_init(&p);
    p.client.options.ping_interval_ms = 30;
    REQUIRE(pair_open(&p));
    RIG_TURN_TO(&p.rig, p.server.pings >= 2);
    CHECK(p.server.pings >= 2);
    CHECK_EQ_UINT(p.client.ws.pings, 0);
    pair_close(&p);
}

/* WS-16, of a server that does not answer. */
TEST(ws_connect, a_server_of_which_nothing_comes_is_left) {
    static pair_t p;
    pair_init(&p);
    p.client.options.ping_interval_ms = 30;
    p.client.options.close_timeout_ms = 50;
    REQUIRE(pair_open(&p));
    gale_ws_pause(p.server.ws);
    CHECK(rig_dialed_closed(&p.rig, &p.client));
    CHECK_EQ_INT(p.client.ws.code, 1006);
    pair_close(&p);
}

TEST(ws_connect, an_idle_one_is_closed) {
    static pair_t p;
    pair_init(&p);
    p.client.options.idle_timeout_ms = 50;
    REQUIRE(pair_open(&p));
    CHECK(rig_dialed_closed(&p.rig, &p.client));
    RIG_TURN_TO(&p.rig, p.server.closes > 0);
    CHECK_EQ_STR(gale_cstr(p.server.log.text), "C 1001 idle for too long;");
    pair_close(&p);
}

/* ---------------------------------------------------------------------------------- the handshake */

static char seen[1024];
static gale_str_t protocols[] = {{"chat.v2", 7}, {"chat.v1", 7}};

static void look_and_accept(rig_t *rig, gale_req_t *req) {
    const gale_header_t *h;
    size_t n = gale_req_headers(req, &h), at = 0;
    gale_ws_options_t options = gale_ws_options();
    gale_header_t cookie = {gale_cstr("Set-Cookie"), gale_cstr("a=b")};
    options.subprotocol = gale_ws_choose(req, &protocols[1], 1);
    options.headers = &cookie;
    options.header_count = 1;
    gale_str_t everyone = gale_cstr("*");
    options.origins = &everyone;
    options.origin_count = 1;
    for (size_t i = 0; i < n; i++) {
        at += (size_t)snprintf(seen + at, sizeof seen - at, "%.*s=%.*s;", (int)h[i].name.len,
                               h[i].name.ptr, (int)h[i].value.len, h[i].value.ptr);
    }
    gale_ws_handler_t handler = rig_ws_handler();
    rig_ws_t *ws = rig->arg;
    CHECK_EQ_INT(gale_ws_accept_with(req, &handler, ws, &options, &ws->ws), 0);
}

static unsigned cookies;
static void look_at_answer(gale_ws_t *ws) {
    const gale_header_t *h;
    size_t n = gale_ws_answer_headers(ws, &h);
    for (size_t i = 0; i < n; i++) {
        cookies +=
            gale__eq(h[i].name, gale_cstr("Set-Cookie")) && gale__eq(h[i].value, gale_cstr("a=b"));
    }
    CHECK_EQ_INT(gale_ws_send(ws, GALE_WS_TEXT, gale_cstr("first")), 0);
}

TEST(ws_connect, subprotocols_origin_and_fields) {
    static pair_t p;
    gale_header_t fields[] = {{gale_cstr("Authorization"), gale_cstr("Bearer x")},
                              {gale_cstr("host"), gale_cstr("elsewhere:81")}};
    pair_init(&p);
    p.rig.request = look_and_accept;
    p.client.options.subprotocols = protocols;
    p.client.options.subprotocol_count = 2;
    p.client.options.origin = gale_cstr("http://example.org");
    p.client.options.headers = fields;
    p.client.options.header_count = 2;
    p.client.opened = look_at_answer;
    cookies = 0;
    REQUIRE(pair_open(&p));
    CHECK_EQ_UINT(cookies, 1);
    CHECK_EQ_STR(gale_str(p.client.ws.log.text, 14), "O 101 chat.v1;");
    CHECK(rig_has(gale_cstr(seen), "Sec-WebSocket-Protocol=chat.v2, chat.v1;"));
    CHECK(rig_has(gale_cstr(seen), "Origin=http://example.org;"));
    CHECK(rig_has(gale_cstr(seen), "Authorization=Bearer x;host=elsewhere:81;"));
    CHECK(!rig_has(gale_cstr(seen), "Host="));
    CHECK_EQ_INT(gale_ws_answer_status(p.client.ws.ws), 0);
    RIG_TURN_TO(&p.rig, p.client.ws.messages > 0);
    CHECK(rig_has(gale_cstr(p.client.ws.log.text), "M1 5 first;"));
    pair_close(&p);
}

TEST(ws_connect, over_a_unix_socket) {
    static pair_t p;
    char path[64], listen[96], url[96];
    snprintf(path, sizeof path, "/tmp/gale-connect-%d", (int)getpid());
    snprintf(listen, sizeof listen, "unix:%s", path);
    snprintf(url, sizeof url, "ws+unix:%s:/ws", path);
    pair_init(&p);
    p.rig.url = listen;
    rig_open(&p.rig);
    CHECK_EQ_INT(rig_dial(&p.rig, &p.client, url, 0), 0);
    REQUIRE(rig_dialed_open(&p.rig, &p.client));
    converse(&p);
    pair_close(&p);
}

/* The name has ::1 too, where nobody listens; or only one of both. */
TEST(ws_connect, the_addresses_of_a_name_are_tried_in_turn) {
    static pair_t p;
    pair_init(&p);
    rig_open(&p.rig);
    p.port = gale_server_port(p.rig.server, 0);
    CHECK_EQ_INT(rig_dial(&p.rig, &p.client, "ws://localhost:%d", p.port), 0);
    CHECK_EQ_UINT(p.client.opens, 0);
    CHECK(rig_dialed_open(&p.rig, &p.client));
    pair_close(&p);
}

TEST(ws_connect, in_ipv6) {
    static pair_t p;
    pair_init(&p);
    p.rig.url = "http://[::1]:0";
    rig_open(&p.rig);
    p.port = gale_server_port(p.rig.server, 0);
    CHECK_EQ_INT(rig_dial(&p.rig, &p.client, "ws://[::1]:%d/", p.port), 0);
    CHECK(rig_dialed_open(&p.rig, &p.client));
    pair_close(&p);
}

/* ------------------------------------------------------------------------------------- in on_open */

static void cut_at_once(gale_ws_t *ws) {
    gale_ws_abort(ws);
}

TEST(ws_connect, cut_in_on_open) {
    static pair_t p;
    pair_init(&p);
    p.client.opened = cut_at_once;
    REQUIRE(pair_open(&p));
    CHECK(rig_dialed_closed(&p.rig, &p.client));
    CHECK_EQ_STR(gale_cstr(p.client.ws.log.text), "O 101 ;C 1006 ;");
    pair_close(&p);
}

static void wait_a_little(gale_ws_t *ws) {
    gale_ws_pause(ws);
}

/* What comes close behind the answer waits too. */
TEST(ws_connect, paused_in_on_open) {
    static pair_t p;
    rig_fake_t fake;
    rig_text_t answer = {0};
    pair_init(&p);
    p.client.opened = wait_a_little;
    rig_open(&p.rig);
    REQUIRE(rig_fake_open(&fake));
    CHECK_EQ_INT(rig_dial(&p.rig, &p.client, "ws://127.0.0.1:%d/", fake.port), 0);
    REQUIRE(rig_fake_accept(&p.rig, &fake));
    rig_fake_answer(&fake, &answer, "");
    rig_text_add(&answer, GALE__LIT("\x81\5early"));
    rig_fake_send(&fake, gale_str(answer.text, answer.len));
    CHECK(rig_dialed_open(&p.rig, &p.client));
    rig_wait(&p.rig, 20);
    CHECK_EQ_UINT(p.client.ws.messages, 0);
    gale_ws_resume(p.client.ws.ws);
    RIG_TURN_TO(&p.rig, p.client.ws.messages > 0);
    CHECK(rig_has(gale_cstr(p.client.ws.log.text), "M1 5 early;"));
    rig_fake_close(&fake);
    pair_close(&p);
    rig_text_free(&answer);
}

/* One callback opens another, and closes itself. */
static rig_t *opener_rig;
static rig_dialed_t second;
static int opener_port;

static void open_another(gale_ws_t *ws) {
    CHECK_EQ_INT(rig_dial(opener_rig, &second, "ws://127.0.0.1:%d/2", opener_port), 0);
    CHECK_EQ_UINT(second.opens, 0);
    gale_ws_close(ws, 1000, gale_str(NULL, 0));
}

TEST(ws_connect, opened_in_a_callback_of_another) {
    static pair_t p;
    pair_init(&p);
    rig_dialed_init(&second);
    p.client.opened = open_another;
    opener_rig = &p.rig;
    rig_open(&p.rig);
    p.port = opener_port = gale_server_port(p.rig.server, 0);
    CHECK_EQ_INT(rig_dial(&p.rig, &p.client, "ws://127.0.0.1:%d/1", p.port), 0);
    CHECK(rig_dialed_open(&p.rig, &second));
    CHECK(rig_dialed_closed(&p.rig, &p.client));
    CHECK_EQ_INT(p.client.ws.code, 1000);
    gale_ws_abort(second.ws.ws);
    CHECK(rig_dialed_closed(&p.rig, &second));
    rig_dialed_free(&second);
    pair_close(&p);
}
