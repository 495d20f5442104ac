/* Servers that refuse, lie, or are not there, played by hand: what becomes of a WebSocket that this
 * process wants to open (WS-19, RFC 6455 4.1, 5.1). */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig_connect.h"
#include "str.h"
#include "worker.h"

/* One attempt at a time, at a server played by hand. */
typedef struct {
    rig_t rig;
    rig_fake_t fake;
    rig_dialed_t client;
    rig_text_t text;
} lone_t;

static bool lone_begin(lone_t *l) {
    rig_init(&l->rig);
    rig_dialed_init(&l->client);
    l->text = (rig_text_t){0};
    rig_open(&l->rig);
    return rig_fake_open(&l->fake);
}

static void lone_end(lone_t *l) {
    CHECK_EQ_UINT(gale_worker_subscribers(l->rig.worker, gale_cstr("t")), 0);
    rig_fake_close(&l->fake);
    rig_close(&l->rig);
    rig_text_free(&l->text);
}

static bool ask(lone_t *l) {
    CHECK_EQ_INT(rig_dial(&l->rig, &l->client, "ws://127.0.0.1:%d/a?b", l->fake.port), 0);
    return rig_fake_accept(&l->rig, &l->fake);
}

/* It is not open, for this reason; and may be tried again. */
static void check_failed(lone_t *l, int code, const char *why) {
    char want[256];
    CHECK(rig_dialed_closed(&l->rig, &l->client));
    snprintf(want, sizeof want, "C %d %s;", code, why);
    CHECK_EQ_STRS(gale_cstr(l->client.ws.log.text == NULL ? "" : l->client.ws.log.text),
                  gale_cstr(want));
    CHECK_EQ_UINT(l->client.opens, 0);
    rig_dialed_free(&l->client);
    gale_ws_connect_options_t options = l->client.options;
    rig_dialed_init(&l->client);
    l->client.options = options;
}

#define LONE_TEST(name)                                                                            \
    static void lone_##name(lone_t *l);                                                            \
    TEST(ws_connect_refuse, name) {                                                                \
        static lone_t lone;                                                                        \
        REQUIRE(lone_begin(&lone));                                                                \
        lone_##name(&lone);                                                                        \
        lone_end(&lone);                                                                           \
    }                                                                                              \
    static void lone_##name(lone_t *l)

/* -------------------------------------------------------------------------------------- not begun */

LONE_TEST(what_is_not_begun) {
    static const struct {
        const char *url;
        int err;
    } urls[] = {
        {"http://127.0.0.1:1/", GALE_EWSURL},
        {"127.0.0.1:1", GALE_EWSURL},
        {"ws://", GALE_EWSURL},
        {"ws://a:99999/", GALE_EWSURL},
        {"ws://user@a/", GALE_EWSURL},
        {"ws://a/#x", GALE_EWSURL},
        {"wss://127.0.0.1:1/", GALE_ENOTLS},
    };
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        CHECK_EQ_INT(rig_dial(&l->rig, &l->client, urls[i].url, 0), urls[i].err);
        CHECK(l->client.ws.ws == NULL);
    }
    static const gale_header_t bad[] = {
        {{"Upgrade", 7}, {"x", 1}},
        {{"sec-websocket-key", 17}, {"x", 1}},
        {{"X Y", 3}, {"x", 1}},
        {{"X", 1}, {"a\r\nb", 4}},
        {{"Content-Length", 14}, {"1", 1}},
        {{"Host", 4}, {"a/b", 3}},
    };
    l->client.options.header_count = 1;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        l->client.options.headers = &bad[i];
        CHECK_EQ_INT(rig_dial(&l->rig, &l->client, "ws://127.0.0.1:1/", 0), GALE_EHEADER);
    }
    l->client.options.header_count = 0;
    static const gale_str_t twice[] = {{"a", 1}, {"a", 1}}, none[] = {{"a b", 3}};
    l->client.options.subprotocols = twice;
    l->client.options.subprotocol_count = 2;
    CHECK_EQ_INT(rig_dial(&l->rig, &l->client, "ws://127.0.0.1:1/", 0), GALE_EHEADER);
    l->client.options.subprotocols = none;
    l->client.options.subprotocol_count = 1;
    CHECK_EQ_INT(rig_dial(&l->rig, &l->client, "ws://127.0.0.1:1/", 0), GALE_EHEADER);
    l->client.options.subprotocol_count = 0;
    l->client.options.deflate_window_bits = 8;
    CHECK_EQ_INT(rig_dial(&l->rig, &l->client, "ws://127.0.0.1:1/", 0), UV_EINVAL);
    l->client.options.deflate_window_bits = 0;
    gale_server_stop(l->rig.server);
    rig_turn(&l->rig, 2);
    CHECK_EQ_INT(rig_dial(&l->rig, &l->client, "ws://127.0.0.1:1/", 0), GALE_ESHUTDOWN);
}

/* -------------------------------------------------------------------------------------- not there */

LONE_TEST(nobody_listens) {
    char why[128];
    int port = l->fake.port;
    rig_fake_close(&l->fake);
    snprintf(why, sizeof why, "cannot connect to 127.0.0.1:%d: connection refused", port);
    CHECK_EQ_INT(rig_dial(&l->rig, &l->client, "ws://127.0.0.1:%d/", port), 0);
    CHECK_EQ_UINT(l->client.ws.closes, 0);
    CHECK_EQ_INT(gale_ws_send(l->client.ws.ws, 1, gale_cstr("early")), GALE_ESTATE);
    CHECK_EQ_INT(gale_ws_close(l->client.ws.ws, 1000, gale_str(NULL, 0)), GALE_ESTATE);
    CHECK_EQ_INT(gale_ws_subscribe(l->client.ws.ws, gale_cstr("t")), GALE_ESTATE);
    check_failed(l, UV_ECONNREFUSED, why);
    CHECK_EQ_INT(rig_dial(&l->rig, &l->client, "ws+unix:/nowhere/at/all:/", 0), 0);
    check_failed(l, UV_ENOENT, "cannot connect to /nowhere/at/all: no such file or directory");
    gale_stats_t s = {.struct_size = sizeof s};
    CHECK_EQ_INT(gale_stats(l->rig.server, &s), 0);
    CHECK_EQ_UINT(s.connects_failed, 2);
    CHECK_EQ_UINT(s.connects_open + s.connects + s.websockets_open, 0);
}

LONE_TEST(a_name_that_is_none) {
    CHECK_EQ_INT(rig_dial(&l->rig, &l->client, "ws://a..b/", 0), 0);
    CHECK(rig_dialed_closed(&l->rig, &l->client));
    CHECK(l->client.ws.code < 0);
    CHECK(rig_has(gale_cstr(l->client.ws.log.text), " cannot connect to a..b: "));
    rig_dialed_free(&l->client);
}

LONE_TEST(it_takes_too_long) {
    l->client.options.connect_timeout_ms = 60;
    REQUIRE(ask(l));
    check_failed(l, GALE_ETIMEDOUT, "the server did not answer in time");
    /* A head that comes byte by byte has no more time for that. */
    REQUIRE(ask(l));
    for (int i = 0; i < 500 && l->client.ws.closes == 0; i++) {
        send(l->fake.fd, &"HTTP/1.1 101 aaaaaaaa"[i < 13 ? i : 13], 1, MSG_NOSIGNAL);
        rig_wait(&l->rig, 5);
    }
    check_failed(l, GALE_ETIMEDOUT, "the server did not answer in time");
}

LONE_TEST(it_is_given_up) {
    REQUIRE(ask(l));
    gale_ws_abort(l->client.ws.ws);
    CHECK_EQ_UINT(l->client.ws.closes, 0);
    check_failed(l, GALE_EABORTED, "aborted by the handler");
    /* Before there is a connection. */
    CHECK_EQ_INT(rig_dial(&l->rig, &l->client, "ws://127.0.0.1:%d/", l->fake.port), 0);
    gale_ws_abort(l->client.ws.ws);
    check_failed(l, GALE_EABORTED, "aborted by the handler");
    /* While its name is looked up. */
    CHECK_EQ_INT(rig_dial(&l->rig, &l->client, "ws://localhost:%d/", l->fake.port), 0);
    gale_ws_abort(l->client.ws.ws);
    check_failed(l, GALE_EABORTED, "aborted by the handler");
}

LONE_TEST(the_server_it_is_of_stops) {
    REQUIRE(ask(l));
    gale_server_stop(l->rig.server);
    check_failed(l, GALE_ESHUTDOWN, "the server is stopping");
}

/* --------------------------------------------------------------------------------- wrong answers */

#define SWITCH "HTTP/1.1 101 Switching Protocols\r\n"
#define WEBSOCKET "Upgrade: websocket\r\nConnection: Upgrade\r\n"

LONE_TEST(answers_that_are_none) {
    static const struct {
        const char *answer; /* null: hangs up */
        int code;
        const char *why;
    } rows[] = {
        {NULL, UV_ECONNRESET, "the server closed the connection before it had answered"},
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", GALE_EHANDSHAKE,
         "the server answered 403"},
        {"HTTP/1.1 200 OK\r\n\r\n", GALE_EHANDSHAKE, "the server answered 200"},
        {"HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n", GALE_EHANDSHAKE, "the server answered 302"},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n", GALE_EHANDSHAKE,
         "the server answered 404"},
        {"SSH-2.0-OpenSSH\r\n", GALE_EPROTO,
         "the server's answer is broken: what came does not begin as an HTTP/1.1 response"},
        {SWITCH "A b: c\r\n\r\n", GALE_EPROTO,
         "the server's answer is broken: a blank stands in a header name"},
        {SWITCH "\r\n", GALE_EHANDSHAKE, "the answer's Upgrade is not websocket"},
        {SWITCH "Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n", GALE_EHANDSHAKE,
         "the answer's Upgrade is not websocket"},
        {SWITCH "Upgrade: websocket\r\n\r\n", GALE_EHANDSHAKE,
         "the answer's Connection is not upgrade"},
        {SWITCH WEBSOCKET "\r\n", GALE_EHANDSHAKE,
         "the answer has no Sec-WebSocket-Accept, or more than one"},
        {SWITCH WEBSOCKET "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
         GALE_EHANDSHAKE, "Sec-WebSocket-Accept does not answer the key"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        REQUIRE(ask(l));
        CHECK(rig_has(gale_cstr(l->fake.request), "GET /a?b HTTP/1.1\r\nHost: 127.0.0.1:"));
        if (rows[i].answer != NULL) rig_fake_send(&l->fake, gale_cstr(rows[i].answer));
        if (rows[i].answer == NULL) rig_fake_hang_up(&l->fake);
        check_failed(l, rows[i].code, rows[i].why);
    }
}

LONE_TEST(what_was_not_offered) {
    static const struct {
        uint32_t deflate, bits;
        const char *fields, *why; /* null: it is open */
    } rows[] = {
        {0, 0, "Sec-WebSocket-Protocol: chat\r\n",
         "the answer has a subprotocol that was not offered"},
        {0, 0, "Sec-WebSocket-Extensions: permessage-deflate\r\n",
         "the answer has an extension that was not offered"},
#if GALE_WITH_ZLIB
        {2, 15, "Sec-WebSocket-Extensions: bbf-usp-protocol\r\n",
         "the answer has an extension that is not as it was offered"},
        {2, 15,
         "Sec-WebSocket-Extensions: permessage-deflate\r\n"
         "Sec-WebSocket-Extensions: permessage-deflate\r\n",
         "the answer has an extension that is not as it was offered"},
        {2, 12, "Sec-WebSocket-Extensions: permessage-deflate\r\n",
         "the answer has an extension that is not as it was offered"},
        {1, 15, "Sec-WebSocket-Extensions: permessage-deflate\r\n",
         "the answer has an extension that is not as it was offered"},
        {2, 15, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n",
         "the answer has an extension that is not as it was offered"},
        {2, 15, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=10\r\n",
         NULL},
        {2, 12, "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=8\r\n", NULL},
#endif
        {2, 15, "", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        l->client.options.deflate = rows[i].deflate;
        l->client.options.deflate_window_bits = rows[i].bits;
        REQUIRE(ask(l));
        rig_fake_answer(&l->fake, &l->text, rows[i].fields);
        rig_fake_send(&l->fake, gale_str(l->text.text, l->text.len));
        if (rows[i].why != NULL) {
            check_failed(l, GALE_EHANDSHAKE, rows[i].why);
            continue;
        }
        CHECK(rig_dialed_open(&l->rig, &l->client));
        rig_fake_hang_up(&l->fake);
        CHECK(rig_dialed_closed(&l->rig, &l->client));
        CHECK_EQ_INT(l->client.ws.code, 1006);
        rig_dialed_free(&l->client);
        rig_dialed_init(&l->client);
    }
    CHECK_EQ_UINT(l->rig.worker->ws_coders.kept.used, 0);
}

LONE_TEST(a_head_without_end) {
    static char line[4096];
    memset(line, 'x', sizeof line);
    REQUIRE(ask(l));
    rig_fake_send(&l->fake, GALE__LIT(SWITCH "X: "));
    for (int i = 0; i < 8 && l->client.ws.closes == 0; i++) {
        send(l->fake.fd, line, sizeof line, MSG_NOSIGNAL);
        rig_turn(&l->rig, 3);
    }
    check_failed(l, GALE_EPROTO, "the server's answer is broken: the header is too long");
    REQUIRE(ask(l)); /* the same of answers before it, all of which count */
    for (int i = 0; i < 2000 && l->client.ws.closes == 0; i++) {
        send(l->fake.fd, "HTTP/1.1 103 Early Hints\r\n\r\n", 28, MSG_NOSIGNAL);
        rig_turn(&l->rig, 1);
    }
    CHECK(rig_dialed_closed(&l->rig, &l->client));
    CHECK_EQ_INT(l->client.ws.code, GALE_EPROTO);
    rig_dialed_free(&l->client);
}

/* --------------------------------------------------------------------------------------- redirects */

static void send_redirect(lone_t *l, const char *location) {
    char text[512];
    snprintf(text, sizeof text, "HTTP/1.1 307 x\r\nContent-Length: 4\r\nLocation: %s\r\n\r\nmore",
             location);
    rig_fake_send(&l->fake, gale_cstr(text));
}

LONE_TEST(a_redirect_is_followed) {
    char there[64];
    gale_header_t fields[] = {{gale_cstr("Cookie"), gale_cstr("a=b")},
                              {gale_cstr("X-Y"), gale_cstr("z")}};
    rig_fake_t other;
    REQUIRE(rig_fake_open(&other));
    l->client.options.max_redirects = 2;
    l->client.options.headers = fields;
    l->client.options.header_count = 2;
    REQUIRE(ask(l));
    CHECK(rig_has(gale_cstr(l->fake.request), "Cookie: a=b\r\n"));
    send_redirect(l, "there?c");
    REQUIRE(rig_fake_accept(&l->rig, &l->fake));
    CHECK(rig_has(gale_cstr(l->fake.request), "GET /there?c HTTP/1.1\r\n"));
    CHECK(rig_has(gale_cstr(l->fake.request), "X-Y: z\r\nCookie: a=b\r\n"));
    /* To another server: what was meant for the first does not go there. */
    snprintf(there, sizeof there, "http://127.0.0.1:%d/other#x", other.port);
    send_redirect(l, there);
    REQUIRE(rig_fake_accept(&l->rig, &other));
    CHECK(rig_has(gale_cstr(other.request), "GET /other HTTP/1.1\r\n"));
    CHECK(rig_has(gale_cstr(other.request), "X-Y: z\r\n"));
    CHECK(!rig_has(gale_cstr(other.request), "Cookie"));
    rig_fake_answer(&other, &l->text, "");
    rig_fake_send(&other, gale_str(l->text.text, l->text.len));
    CHECK(rig_dialed_open(&l->rig, &l->client));
    rig_fake_send(&other, GALE__LIT("\x81\2hi"));
    RIG_TURN_TO(&l->rig, l->client.ws.messages > 0);
    rig_fake_close(&other);
    CHECK(rig_dialed_closed(&l->rig, &l->client));
    CHECK_EQ_STR(gale_cstr(l->client.ws.log.text), "O 101 ;M1 2 hi;C 1006 ;");
    rig_dialed_free(&l->client);
}

LONE_TEST(redirects_that_are_not_followed) {
    static const struct {
        const char *location;
        int code;
        const char *why;
    } rows[] = {
        {"https://127.0.0.1/", GALE_EHANDSHAKE, "the server redirects to another scheme"},
        {"ws+unix:/run/x:/", GALE_EHANDSHAKE, "the server redirects to another scheme"},
        {"ftp://127.0.0.1/", GALE_EHANDSHAKE, "the server redirects to what is no WebSocket URL"},
    };
    l->client.options.max_redirects = 3;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        REQUIRE(ask(l));
        send_redirect(l, rows[i].location);
        check_failed(l, rows[i].code, rows[i].why);
    }
    REQUIRE(ask(l));
    for (int i = 0; i < 3; i++) { /* round and round */
        send_redirect(l, "/a?b");
        REQUIRE(rig_fake_accept(&l->rig, &l->fake));
    }
    send_redirect(l, "/a?b");
    check_failed(l, GALE_ELIMIT, "the server redirects more than 3 times");
}

/* The connection to the server before is still being closed. */
LONE_TEST(it_is_given_up_within_a_redirect) {
    l->client.options.max_redirects = 1;
    REQUIRE(ask(l));
    send_redirect(l, "/b");
    for (int i = 0; i < 50 && l->client.ws.closes == 0; i++) {
        gale_ws_abort(l->client.ws.ws);
        rig_turn(&l->rig, 1);
    }
    check_failed(l, GALE_EABORTED, "aborted by the handler");
}

/* ----------------------------------------------------------------------------------- once it is open */

static bool open_by_hand(lone_t *l) {
    if (!ask(l)) return false;
    rig_fake_answer(&l->fake, &l->text, "");
    rig_fake_send(&l->fake, gale_str(l->text.text, l->text.len));
    return rig_dialed_open(&l->rig, &l->client);
}

/* Cut into two reads at each byte, and byte by byte: the head, and frames close behind it. */
LONE_TEST(an_answer_cut_anywhere) {
    static const char frames[] = "\x81\5hello\x89\1p\x02\1a\x80\1b\x88\2\x03\xe8";
    size_t len = 1;
    for (size_t cut = 0; cut < len; cut++) {
        REQUIRE(ask(l));
        rig_fake_answer(&l->fake, &l->text, "X: y\r\n");
        rig_text_add(&l->text, gale_str(frames, sizeof frames - 1));
        len = l->text.len;
        size_t step = cut == 0 ? 1 : cut;
        for (size_t at = 0; at < len; at += step) {
            if (at > 0 && cut > 0) step = len - at;
            rig_fake_send(&l->fake, gale_str(l->text.text + at, step));
            rig_turn(&l->rig, 2);
        }
        RIG_TURN_TO(&l->rig, l->client.ws.messages == 2);
        rig_turn(&l->rig, 2);
        rig_fake_hang_up(&l->fake);
        CHECK(rig_dialed_closed(&l->rig, &l->client));
        CHECK_EQ_STR(gale_cstr(l->client.ws.log.text), "O 101 ;M1 5 hello;P p;M2 2 ab;C 1000 ;");
        rig_dialed_free(&l->client);
        rig_dialed_init(&l->client);
    }
}

LONE_TEST(frames_that_no_server_sends) {
    static const struct {
        gale_str_t bytes;
        int code;
        const char *why;
    } rows[] = {
        {{"\x81\x82"
          "abcd..",
          8},
         1002,
         "a server's frame is masked"},
        {{"\xc1\1a", 3}, 1002, "reserved bit set"},
        {{"\x80\1a", 3}, 1002, "continuation of no message"},
        {{"\x81\1\xff", 3}, 1007, "the message is not UTF-8"},
        {{"\x82\x7f\0\0\0\0\x10\0\0\0", 10}, 1009, "message too big"},
        {{"\x88\1x", 3}, 1002, "a close frame has no or at least 2 bytes"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char want[128], got[64];
        REQUIRE(open_by_hand(l));
        rig_fake_send(&l->fake, rows[i].bytes);
        long n = 0;
        RIG_TURN_TO(&l->rig, (n = rig_fake_read(&l->fake, got, sizeof got)) != 0);
        /* It says why, masked. */
        CHECK(n > 8 && (uint8_t)got[0] == 0x88 && ((uint8_t)got[1] & 0x80) != 0);
        int code = ((uint8_t)got[6] ^ (uint8_t)got[2]) << 8 | ((uint8_t)got[7] ^ (uint8_t)got[3]);
        CHECK_EQ_INT(code, rows[i].code);
        rig_fake_hang_up(&l->fake);
        CHECK(rig_dialed_closed(&l->rig, &l->client));
        snprintf(want, sizeof want, "O 101 ;C %d %s;", rows[i].code, rows[i].why);
        CHECK_EQ_STRS(gale_cstr(l->client.ws.log.text), gale_cstr(want));
        rig_dialed_free(&l->client);
        rig_dialed_init(&l->client);
    }
}

/* RFC 6455 5.3, 10.3: each frame with a key of its own, and no two alike. */
LONE_TEST(keys_are_fresh) {
    enum { FRAMES = 1000, SIZE = 2 + 4 + 8 };
    static char got[FRAMES * SIZE];
    static uint32_t keys[FRAMES];
    REQUIRE(open_by_hand(l));
    for (int i = 0; i < FRAMES; i++) {
        CHECK(gale_ws_send(l->client.ws.ws, GALE_WS_BINARY, gale_str("12345678", 8)) >= 0);
    }
    size_t have = 0;
    for (int i = 0; i < 5000 && have < sizeof got; i++) {
        rig_wait(&l->rig, 1);
        long n = rig_fake_read(&l->fake, got + have, sizeof got - have);
        if (n > 0) have += (size_t)n;
    }
    CHECK_EQ_UINT(have, sizeof got);
    unsigned alike = 0, zero = 0;
    for (int i = 0; i < FRAMES; i++) {
        const char *f = got + i * SIZE;
        char payload[8];
        for (int k = 0; k < 8; k++) payload[k] = (char)(f[6 + k] ^ f[2 + k % 4]);
        CHECK_EQ_MEM(payload, "12345678", 8);
        memcpy(&keys[i], f + 2, 4);
        zero += keys[i] == 0;
        for (int k = 0; k < i; k++) alike += keys[k] == keys[i];
    }
    CHECK(alike <= 2 && zero <= 1); /* by chance */
    rig_fake_hang_up(&l->fake);
    CHECK(rig_dialed_closed(&l->rig, &l->client));
    rig_dialed_free(&l->client);
}

/* RFC 6455 7.1.1: the server is to end the connection; one that does not is left after a while. */
LONE_TEST(the_server_ends_the_connection) {
    char got[64];
    REQUIRE(open_by_hand(l));
    CHECK_EQ_INT(gale_ws_close(l->client.ws.ws, 1000, gale_str(NULL, 0)), 0);
    long n = 0;
    RIG_TURN_TO(&l->rig, (n = rig_fake_read(&l->fake, got, sizeof got)) != 0);
    CHECK_EQ_INT(n, 8);
    rig_fake_send(&l->fake, GALE__LIT("\x88\2\x03\xe8"));
    rig_wait(&l->rig, 30);
    CHECK_EQ_INT(rig_fake_read(&l->fake, got, sizeof got), 0); /* no end from this side */
    CHECK_EQ_UINT(l->client.ws.closes, 0);
    CHECK(rig_dialed_closed(&l->rig, &l->client)); /* within GALE__LINGER_MS */
    CHECK_EQ_INT(l->client.ws.code, 1000);
    CHECK_EQ_INT(rig_fake_read(&l->fake, got, sizeof got), -1);
    rig_dialed_free(&l->client);
}
