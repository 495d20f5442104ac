/*
 * Compressed messages through a connection, both ways: WS-14, WS-15. The client's part is played by
 * the core's own coders, which ws_deflate_test.c holds against the RFC's examples.
 */
#include "rig.h"
#include "rig_coding.h"
#include "rig_ws.h"
#include "str.h"
#include "worker.h"
#include "ws.h"
#if GALE_WITH_ZLIB

#define OFFER(parameters)                                                                          \
    RIG_UPGRADE_WITH("Sec-WebSocket-Extensions: permessage-deflate" parameters "\r\n")

/* A client with a window of its own for each direction, as was agreed on. */
typedef struct {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws;
    gale__budget_t budget;
    gale__deflate_t *deflate;
    gale__inflate_t *inflate;
    bool client_takeover, server_takeover;
    rig_text_t frames, got;
    unsigned compressed, plain; /* messages that came */
} pmd_t;

static void open_pmd(pmd_t *p, uint32_t mode, const char *upgrade) {
    if (p->rig.config.struct_size == 0) rig_init(&p->rig);
    p->rig.config.ws_deflate = mode;
    p->ws.upgrade = upgrade;
    rig_ws_open(&p->rig, &p->client, &p->ws);
    CHECK(rig_has(gale_cstr(p->ws.answer), "Sec-WebSocket-Extensions: permessage-deflate"));
    p->client_takeover = !rig_has(gale_cstr(p->ws.answer), "client_no_context_takeover");
    p->server_takeover = !rig_has(gale_cstr(p->ws.answer), "server_no_context_takeover");
    p->budget.limit = SIZE_MAX;
    bool small = rig_has(gale_cstr(p->ws.answer), "client_max_window_bits=12");
    p->deflate = gale__ws_deflate_new(small ? 12 : 15, 6, &p->budget);
    p->inflate = gale__inflate_new(GALE__FORMAT_RAW, 15, &p->budget);
    CHECK(p->deflate != NULL && p->inflate != NULL);
}

static void close_pmd(pmd_t *p) {
    gale__deflate_free(p->deflate);
    gale__inflate_free(p->inflate);
    rig_text_free(&p->frames);
    rig_text_free(&p->got);
    rig_drop(&p->rig, &p->client);
    CHECK_EQ_UINT(p->rig.worker->ws_coders.kept.used, 0);
    rig_ws_close(&p->rig, &p->client, &p->ws);
}

/* The payload of a message, compressed; lives until the next call. */
static gale_str_t squeeze(pmd_t *p, gale_str_t message) {
    static char out[GALE__WS_DEFLATE_ROOM(2 << 20)];
    if (message.len == 0) return GALE__LIT("\0");
    size_t n = gale__ws_deflate_message(p->deflate, p->client_takeover, message, out);
    CHECK(n > 0);
    return gale_str(out, n);
}

static void say(pmd_t *p, int first, gale_str_t payload) {
    rig_text_clear(&p->frames);
    rig_frame(&p->frames, first, payload.ptr, payload.len);
    rig_send_bytes(&p->client, p->frames.text, p->frames.len);
    rig_turn(&p->rig, 2);
}

static void inflate_into(pmd_t *p, gale_str_t payload) {
    char out[4096];
    size_t made;
    int result;
    gale__ws_inflating_t s = {.in = payload};
    if (!p->server_takeover) gale__inflate_reset(p->inflate);
    do {
        result = gale__ws_inflate_some(p->inflate, &s, out, sizeof out, &made);
        rig_text_add(&p->got, gale_str(out, made));
    } while (result == GALE__CODER_FULL);
    CHECK_EQ_INT(result, GALE__CODER_DONE);
}

/* The next message out of what came; `bytes` moves behind it. */
static gale_str_t hear(pmd_t *p, gale_str_t *bytes) {
    const uint8_t *b = (const uint8_t *)bytes->ptr;
    rig_text_clear(&p->got);
    if (bytes->len < 2) return gale_str("", 0);
    size_t head = b[1] < 126 ? 2 : b[1] == 126 ? 4 : 10, len = b[1] < 126 ? b[1] : 0;
    for (size_t i = 2; i < head; i++) len = len << 8 | b[i];
    CHECK((b[0] & 0x80) != 0 && bytes->len >= head + len);
    gale_str_t payload = gale_str(bytes->ptr + head, len);
    *bytes = gale_str(payload.ptr + len, bytes->len - head - len);
    if ((b[0] & 0x40) == 0) {
        p->plain++;
        rig_text_add(&p->got, payload);
    } else {
        p->compressed++;
        inflate_into(p, payload);
    }
    return gale_str(p->got.len > 0 ? p->got.text : "", p->got.len);
}

/* ------------------------------------------------------------------------------------- echoes */

static void check_echoes(uint32_t mode, const char *upgrade) {
    static const size_t sizes[] = {100, 64, 63, 0, 1000, 4096, 4097, 200000, 100, 70000, 1};
    pmd_t p = {.ws.echo = true};
    open_pmd(&p, mode, upgrade);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        gale_str_t text = gale_str(rig_prose(sizes[i]), sizes[i]);
        gale_str_t payload = sizes[i] < 8 ? text : squeeze(&p, text);
        say(&p, (sizes[i] < 8 ? 0x80 : 0xc0) | (i % 2 ? 1 : 2), payload);
        gale_str_t got = rig_take(&p.client);
        CHECK_EQ_STRS(hear(&p, &got), gale_str(rig_prose(sizes[i]), sizes[i]));
        CHECK_EQ_UINT(got.len, 0);
    }
    CHECK_EQ_UINT(p.compressed, 8); /* those of at least 64 bytes */
    CHECK_EQ_UINT(p.plain, 3);
    close_pmd(&p);
}

TEST(ws_send, compressed_echoes_WS_14) {
    check_echoes(1, OFFER(""));
    check_echoes(1, OFFER("; server_max_window_bits=9; client_max_window_bits"));
    check_echoes(2, OFFER(""));
    check_echoes(2, OFFER("; client_max_window_bits"));
    check_echoes(2, OFFER("; server_no_context_takeover"));
    check_echoes(2, OFFER("; client_no_context_takeover; server_max_window_bits=10"));
    check_echoes(2, OFFER("; client_no_context_takeover; server_no_context_takeover"));
}

TEST(ws_send, answers_to_offers_WS_15) {
    static const struct {
        uint32_t mode;
        const char *upgrade, *has;
        bool no_deflate;
    } rows[] = {
        {1, OFFER(""), "permessage-deflate; server_no_context_takeover; client_no_con", false},
        {2, OFFER(""), "permessage-deflate; server_max_window_bits=12\r\n", false},
        {2, OFFER("; client_max_window_bits"),
         "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12\r\n", false},
        {2, OFFER("; x, permessage-deflate; server_max_window_bits=9"),
         "permessage-deflate; server_max_window_bits=9\r\n", false},
        {2, OFFER("; x\r\nSec-WebSocket-Extensions: permessage-deflate"),
         "permessage-deflate; server_max_window_bits=12\r\n", false},
        {2, OFFER("; server_max_window_bits=99"), NULL, false},
        {2, OFFER("-not"), NULL, false},
        {0, OFFER(""), NULL, false},
        {2, OFFER(""), NULL, true},
        {2, RIG_UPGRADE, NULL, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig_t rig;
        rig_client_t client;
        gale_ws_options_t options = gale_ws_options();
        options.no_deflate = rows[i].no_deflate;
        rig_ws_t ws = {.upgrade = rows[i].upgrade, .options = &options, .echo = true};
        rig_init(&rig);
        rig.config.ws_deflate = rows[i].mode;
        rig_ws_open(&rig, &client, &ws);
        bool has =
            rig_has(gale_cstr(ws.answer), rows[i].has == NULL ? "permessage-deflate" : rows[i].has);
        CHECK_MSG(has == (rows[i].has != NULL), "row %zu: %s", i, ws.answer);
        if (rows[i].has == NULL) { /* then the bit is a breach, and nothing is compressed */
            gale_ws_send(ws.ws, GALE_WS_TEXT, gale_str(rig_prose(100), 100));
            rig_turn(&rig, 2);
            CHECK_EQ_UINT(rig_take(&client).len, 102);
            rig_send_bytes(&client, "\xc1\x80\0\0\0\0", 6);
            rig_turn(&rig, 2);
            CHECK_EQ_INT(ws.code, 1002);
        }
        rig_ws_close(&rig, &client, &ws);
    }
}

TEST(ws_send, a_malformed_offer_is_400) {
    rig_t rig;
    char out[512];
    rig_ws_t ws = {0};
    rig_init(&rig);
    rig.request = rig_ws_accept;
    rig.arg = &ws;
    rig.config.ws_deflate = 1;
    rig_open(&rig);
    rig_ask(&rig, OFFER(";;"), out, sizeof out);
    CHECK_EQ_INT(rig_status_of(gale_cstr(out)), 400);
    CHECK(ws.ws == NULL);
    rig_close(&rig);
}

/* -------------------------------------------------------------------------------------- sending */

TEST(ws_send, plain_kinds_are_not_compressed) {
    for (uint32_t mode = 1; mode <= 2; mode++) {
        pmd_t p = {0};
        unsigned freed = 0;
        open_pmd(&p, mode, OFFER(""));
        gale_str_t text = gale_str(rig_prose(5000), 5000);
        CHECK_EQ_INT(gale_ws_send(p.ws.ws, GALE_WS_TEXT, text), 0);
        CHECK_EQ_INT(gale_ws_send(p.ws.ws, GALE_WS_TEXT | GALE_WS_PLAIN, text), 0);
        CHECK_EQ_INT(gale_ws_send_buf(p.ws.ws, GALE_WS_BINARY, rig_buf(text.ptr, 5000, &freed)), 0);
        CHECK_EQ_UINT(freed, 1); /* what goes out is no longer in it */
        CHECK_EQ_INT(gale_ws_send_buf(p.ws.ws, GALE_WS_BINARY | GALE_WS_PLAIN,
                                      rig_buf(text.ptr, 5000, &freed)),
                     0);
        CHECK_EQ_INT(gale_ws_send(p.ws.ws, GALE_WS_PLAIN, text), UV_EINVAL);
        CHECK_EQ_INT(gale_ref_send(p.rig.server, gale_ws_ref(p.ws.ws), GALE_WS_TEXT | GALE_WS_PLAIN,
                                   rig_buf(text.ptr, 5000, &freed)),
                     0);
        CHECK_EQ_INT(gale_ws_send(p.ws.ws, GALE_WS_TEXT, gale_str(rig_pattern(100), 0)), 0);
        rig_turn(&p.rig, 3);
        CHECK_EQ_UINT(freed, 3);
        gale_str_t got = rig_take(&p.client);
        /* That by reference in its turn: it is sent on the socket's own loop. */
        for (int i = 0; i < 5; i++) CHECK_EQ_STRS(hear(&p, &got), text);
        CHECK_EQ_UINT(hear(&p, &got).len, 0);
        CHECK_EQ_UINT(p.compressed, 2);
        CHECK_EQ_UINT(p.plain, 4);
        close_pmd(&p);
    }
}

/* ---------------------------------------------------------------------------------------- memory */

/* Sockets beyond the memory for windows get none, and are served all the same. */
TEST(ws_send, windows_within_their_memory) {
    pmd_t p = {.ws.echo = true};
    rig_client_t more;
    rig_ws_t second = {.upgrade = OFFER("; client_max_window_bits"), .echo = true};
    rig_init(&p.rig);
    p.rig.config.ws_deflate_memory = 100000; /* for one */
    open_pmd(&p, 2, OFFER("; client_max_window_bits"));
    const gale__ws_coders_t *c = &p.rig.worker->ws_coders;
    size_t reserved = c->kept.used;
    CHECK(reserved > 20000 && reserved <= 100000);
    CHECK_EQ_UINT(c->memory.used, 0); /* until there is a message */
    p.rig.arg = &second;
    rig_connect(&p.rig, &more);
    rig_send(&more, second.upgrade);
    CHECK(rig_has(rig_take(&more), "server_no_context_takeover; client_no_context_takeover"));
    CHECK_EQ_UINT(c->kept.used, reserved);
    for (int i = 0; i < 3; i++) {
        say(&p, 0xc1, squeeze(&p, gale_str(rig_prose(300), 300)));
        gale_str_t got = rig_take(&p.client);
        CHECK_EQ_STRS(hear(&p, &got), gale_str(rig_prose(300), 300));
    }
    CHECK(c->memory.used > 0 && c->memory.used <= reserved);
    rig_drop(&p.rig, &more);
    CHECK_EQ_UINT(second.closes, 1);
    rig_text_free(&second.log);
    CHECK_EQ_UINT(c->kept.used, reserved);
    close_pmd(&p);
}

#endif
