/* Compressed messages that come in pieces, are too big, broken or no text: WS-09, WS-11, WS-14,
 * WS-15. */
#include <stdlib.h>

#include "rig.h"
#include "rig_ws.h"
#include "worker.h"
#include "ws_deflate.h"
#if GALE_WITH_ZLIB

#define OFFER RIG_UPGRADE_WITH("Sec-WebSocket-Extensions: permessage-deflate\r\n")
#define NO_MASK "\0\0\0\0"
#define HELLO "\xf2\x48\xcd\xc9\xc9\x07\x00" /* RFC 7692 7.2.3.1 */

typedef struct {
    const char *sent;
    size_t len;
    const char *log;
} talk_t;
#define TALK(sent, log)                                                                            \
    { sent, sizeof(sent) - 1, log }

/* What the handler sees, whole and byte by byte. */
static void check_talks(const talk_t *talks, size_t count, uint32_t mode, uint64_t max) {
    for (size_t i = 0; i < 2 * count; i++) {
        const talk_t *t = &talks[i / 2];
        rig_t rig;
        rig_client_t client;
        rig_ws_t ws = {.upgrade = OFFER};
        rig_init(&rig);
        rig.config.ws_deflate = mode;
        rig.config.ws_max_message_bytes = max;
        rig_ws_open(&rig, &client, &ws);
        for (size_t at = 0, n = i % 2 ? 1 : t->len; at < t->len; at += n) {
            rig_send_bytes(&client, t->sent + at, n);
        }
        rig_turn(&rig, 4);
        gale_str_t got = rig_take(&client);
        gale_str_t log = gale_str(ws.log.text == NULL ? "" : ws.log.text, ws.log.len);
        CHECK_EQ_STRS(log, gale_cstr(t->log));
        if (strstr(t->log, "C ") != NULL) { /* never without a word */
            int code = got.len < 4 ? 0 : (uint8_t)got.ptr[2] << 8 | (uint8_t)got.ptr[3];
            CHECK((uint8_t)got.ptr[0] == 0x88);
            CHECK_EQ_INT(code, ws.code);
        }
        if (test_failures() > 0) test_fail(__FILE__, __LINE__, "in talk %zu", i / 2);
        rig_ws_close(&rig, &client, &ws);
    }
}
#define BROKEN "the message is not UTF-8, or its compressed bytes are broken;"

/* RFC 7692 6: the bit stands on the first frame; controls in between are no part of it (WS-15). */
TEST(ws_inflate, messages_WS_14_WS_15) {
    static const talk_t talks[] = {
        TALK("\xc1\x87" NO_MASK HELLO, "M1 5 Hello;"),
        TALK("\xc2\x87" NO_MASK HELLO "\x81\x82" NO_MASK "hi", "M2 5 Hello;M1 2 hi;"),
        TALK("\x41\x83" NO_MASK "\xf2\x48\xcd\x80\x84" NO_MASK "\xc9\xc9\x07\x00", "M1 5 Hello;"),
        TALK("\x41\x83" NO_MASK "\xf2\x48\xcd\x89\x81" NO_MASK "p\x00\x80" NO_MASK
             "\x8a\x80" NO_MASK "\x80\x84" NO_MASK "\xc9\xc9\x07\x00",
             "P p;Q ;M1 5 Hello;"),
        TALK("\x41\x80" NO_MASK "\x00\x87" NO_MASK HELLO "\x80\x80" NO_MASK, "M1 5 Hello;"),
        TALK("\xc1\x81" NO_MASK "\x00\xc2\x80" NO_MASK, "M1 0 ;M2 0 ;"),
        TALK("\x41\x80" NO_MASK "\x80\x80" NO_MASK, "M1 0 ;"),
        TALK("\xc1\x88" NO_MASK "\xf3\x48\xcd\xc9\xc9\x07\x00\x00\xc1\x87" NO_MASK HELLO,
             "M1 5 Hello;M1 5 Hello;"), /* BFINAL */
        TALK("\xc1\x8e" NO_MASK "\xf3\x48\xcd\xc9\xc9\x07\x00" HELLO, "M1 10 HelloHello;"),
    };
    check_talks(talks, sizeof talks / sizeof talks[0], 1, 100);
    check_talks(talks, sizeof talks / sizeof talks[0], 2, 100);
}

TEST(ws_inflate, takeover) {
    static const talk_t kept =
        TALK("\xc1\x87" NO_MASK HELLO "\xc1\x85" NO_MASK "\xf2\x00\x11\x00\x00",
             "M1 5 Hello;M1 5 Hello;");
    static const talk_t forgotten =
        TALK("\xc1\x87" NO_MASK HELLO "\xc1\x85" NO_MASK "\xf2\x00\x11\x00\x00",
             "M1 5 Hello;C 1007 " BROKEN);
    check_talks(&kept, 1, 2, 100);
    check_talks(&forgotten, 1, 1, 100);
}

TEST(ws_inflate, breaches_WS_09) {
    static const talk_t talks[] = {
        TALK("\x41\x83" NO_MASK "\xf2\x48\xcd\xc0", "C 1002 reserved bit set;"),
        TALK("\x01\x81" NO_MASK "a\xc0", "C 1002 reserved bit set;"),
        TALK("\xc9", "C 1002 reserved bit set;"),
        TALK("\xc8", "C 1002 reserved bit set;"),
        TALK("\xca", "C 1002 reserved bit set;"),
        TALK("\xe1", "C 1002 reserved bits set;"),
        TALK("\xc1\x84" NO_MASK "\xff\xff\xff\xff", "C 1007 " BROKEN),
        TALK("\xc2\x84" NO_MASK "\xff\xff\xff\xff", "C 1007 " BROKEN),
        TALK("\xc2\x84" NO_MASK "\xf2\x48\xcd\xc9", "C 1007 " BROKEN), /* cut off */
        /* stored blocks: what is no UTF-8, or only the beginning of it */
        TALK("\xc1\x87" NO_MASK "\x00\x01\x00\xfe\xff\xff\x00", "C 1007 " BROKEN),
        TALK("\xc1\x87" NO_MASK "\x00\x01\x00\xfe\xff\xc3\x00", "C 1007 " BROKEN),
        TALK("\x41\x87" NO_MASK "\x00\x01\x00\xfe\xff\xc3\x00\x80\x80" NO_MASK, "C 1007 " BROKEN),
    };
    check_talks(talks, sizeof talks / sizeof talks[0], 1, 100);
    check_talks(talks, sizeof talks / sizeof talks[0], 2, 100);
}

/* WS-11: the limit holds for what comes out, and for what is announced. */
TEST(ws_inflate, too_big_is_1009_WS_11) {
    static const talk_t talks[] = {
        TALK("\xc1\x87" NO_MASK HELLO, "M1 5 Hello;"),
        TALK("\xc1\x8e" NO_MASK "\xf3\x48\xcd\xc9\xc9\x07\x00" HELLO, "C 1009 message too big;"),
        TALK("\xc2\xfe\x01\x00" NO_MASK, "C 1009 message too big;"),
        TALK("\x41\xc5" NO_MASK "012345678901234567890123456789012345678901234567890123456789012345"
             "678\x80\x85" NO_MASK,
             "C 1009 message too big;"),
    };
    check_talks(talks, sizeof talks / sizeof talks[0], 1, 5);
    check_talks(talks, sizeof talks / sizeof talks[0], 2, 5);
}

static size_t received;
static void count(gale_ws_t *ws, int kind, gale_str_t bytes) {
    (void)ws, (void)kind;
    received = bytes.len;
    for (size_t i = 0; i < bytes.len; i++) received -= bytes.ptr[i] != 'z';
}

/* All that fits into the limit comes, and not a byte more is made of the rest. */
TEST(ws_inflate, bombs_WS_11) {
    enum { LIMIT = 300000 };
    static const size_t sizes[] = {1,     16383,     16384, 16385,     32768,
                                   65536, LIMIT - 1, LIMIT, LIMIT + 1, 50 << 20};
    gale__budget_t budget = {0, SIZE_MAX};
    gale__deflate_t *d = gale__ws_deflate_new(15, 9, &budget);
    REQUIRE(d != NULL);
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof sizes[0]; i++) {
        size_t size = sizes[i / 2], n = 1;
        char *text = malloc(size), *out = malloc(GALE__WS_DEFLATE_ROOM(size));
        rig_t rig;
        rig_client_t client;
        rig_ws_t ws = {.upgrade = OFFER, .message = count};
        rig_text_t frame = {0};
        REQUIRE(text != NULL && out != NULL);
        memset(text, 'z', size);
        n = size < 8 ? 0 : gale__ws_deflate_message(d, false, gale_str(text, size), out);
        rig_init(&rig);
        rig.config.ws_deflate = 1 + i % 2;
        rig.config.ws_max_message_bytes = LIMIT;
        rig_ws_open(&rig, &client, &ws);
        rig_frame(&frame, n > 0 ? 0xc1 : 0x81, n > 0 ? out : text, n > 0 ? n : size);
        received = 0;
        rig_send_bytes(&client, frame.text, frame.len);
        rig_turn(&rig, 3);
        CHECK_EQ_UINT(received, size <= LIMIT ? size : 0);
        CHECK_EQ_INT(ws.code, size <= LIMIT ? 0 : 1009);
        CHECK_EQ_UINT(rig.worker->coders.piece_count, n > 0);
        rig_text_free(&frame);
        rig_ws_close(&rig, &client, &ws);
        free(text);
        free(out);
    }
    gale__deflate_free(d);
}

/* What does not compress gets longer by it, and is still within the limit. */
TEST(ws_inflate, stored_blocks_up_to_the_limit) {
    enum { LIMIT = 1000 };
    static char payload[5 + LIMIT + 1] = "\x00\xe8\x03\x17\xfc"; /* a stored block of 1000 */
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {.upgrade = OFFER};
    rig_text_t frame = {0};
    memcpy(payload + 5, rig_pattern(LIMIT), LIMIT);
    rig_init(&rig);
    rig.config.ws_deflate = 1;
    rig.config.ws_max_message_bytes = LIMIT;
    rig_ws_open(&rig, &client, &ws);
    rig_frame(&frame, 0xc2, payload, sizeof payload);
    rig_send_bytes(&client, frame.text, frame.len);
    CHECK_EQ_UINT(ws.messages, 1);
    CHECK(rig_has(gale_str(ws.log.text, ws.log.len), "M2 1000 "));
    rig_text_free(&frame);
    rig_ws_close(&rig, &client, &ws);
}

#endif
