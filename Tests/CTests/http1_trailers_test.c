/* Trailer sections: the table that is made of their lines, and how a handler gets it. H1-13 */
#include "http1_trailers.h"

#include <stdio.h>

#include "mem.h"
#include "rig.h"

#define CHUNKED "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"

TEST(http1_trailers, table) {
    static const struct {
        const char *lines, *fields;
    } rows[] = {
        {"A: b\r\n", "A=b;"},
        {"A:\r\nB-C:  \t d\xff \r\nA:e:f\r\n", "A=;B-C=d\xff;A=e:f;"},
        /* RFC 9110 6.5.1 */
        {"Content-Length: 5\r\nA: b\r\nhost: evil\r\nTransfer-Encoding: chunked\r\n", "A=b;"},
        {"Authorization: x\r\nCookie: a=b\r\nIf-Match: *\r\nif-none-match: *\r\nIf: x\r\n",
         "If=x;"},
        {"Trailer: A\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nUpgrade: x\r\n", ""},
        {"Contents: 1\r\nHosts: 2\r\nX-Host: 3\r\n", "Contents=1;Hosts=2;X-Host=3;"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        gale__trailers_t *t = NULL;
        char got[256];
        size_t len = strlen(rows[i].lines), n = 0;
        for (size_t at = 0; at < len; at += 5) { /* in pieces */
            size_t piece = len - at < 5 ? len - at : 5;
            CHECK(gale__trailers_add(&t, gale_str(rows[i].lines + at, piece)));
        }
        gale__trailers_finish(t);
        got[0] = '\0';
        for (uint32_t k = 0; k < t->count; k++) {
            const gale_header_t *f = &t->fields[k];
            n += (size_t)snprintf(got + n, sizeof got - n, "%.*s=%.*s;", (int)f->name.len,
                                  f->name.ptr, (int)f->value.len, f->value.ptr);
        }
        CHECK_EQ_STRS(gale_cstr(got), gale_cstr(rows[i].fields));
        gale__free(t);
    }
}

/* Whatever the decoder might let through, the table's bounds hold. */
TEST(http1_trailers, bounds) {
    static char line[GALE__TRAILER_BYTES];
    gale__trailers_t *t = NULL;
    for (int i = 0; i < 100; i++) CHECK(gale__trailers_add(&t, gale_str("A: b\r\n", 6)));
    gale__trailers_finish(t);
    CHECK_EQ_UINT(t->count, GALE__TRAILER_FIELDS);
    gale__free(t);
    t = NULL;
    memset(line, 'x', sizeof line);
    line[1] = ':';
    CHECK(gale__trailers_add(&t, gale_str(line, sizeof line)));
    CHECK(gale__trailers_add(&t, gale_str("\r\n", 2)));
    CHECK_EQ_UINT(t->len, GALE__TRAILER_BYTES);
    gale__trailers_finish(t);
    CHECK_EQ_UINT(t->count, 0);
    gale__free(t);
}

/* Answers with its trailers, as text. */
static void answer(gale_req_t *req) {
    const gale_header_t *h = NULL;
    rig_text_t text = {0};
    size_t n = gale_req_trailers(req, &h);
    CHECK(h != NULL && gale_req_trailers(req, NULL) == n);
    for (size_t i = 0; i < n; i++) {
        rig_text_addf(&text, "%.*s=%.*s;", (int)h[i].name.len, h[i].name.ptr, (int)h[i].value.len,
                      h[i].value.ptr);
    }
    CHECK(gale_req_header(req, gale_cstr("Sum")).ptr == NULL); /* not merged */
    gale_respond(req, 200, NULL, 0, gale_str(text.text == NULL ? "" : text.text, text.len));
    rig_text_free(&text);
}

static void on_request(rig_t *rig, gale_req_t *req) {
    if (rig->streaming) {
        CHECK_EQ_UINT(gale_req_trailers(req, NULL), 0);
        if (rig->arg != NULL) CHECK_EQ_INT(gale_req_collect(req, 100), 0);
    } else {
        answer(req);
    }
}

static void on_body(rig_t *rig, gale_req_t *req, gale_str_t chunk, bool last) {
    (void)rig, (void)chunk;
    if (last)
        answer(req);
    else
        CHECK_EQ_UINT(gale_req_trailers(req, NULL), 0);
}

/* H1-13: with the end of the body, however it is taken, and for that request alone. */
TEST(http1_trailers, come_with_the_end_of_the_body_H1_13) {
    static const char text[] =
        CHUNKED "3\r\nabc\r\n0\r\nSum: 294\r\nContent-Length: 9\r\nOther:\r\n\r\n" CHUNKED
                "0\r\n\r\n" CHUNKED "0\r\nLast: 1\r\n\r\n";
    for (int way = 0; way < 6; way++) {
        rig_t rig;
        rig_client_t client;
        rig_init(&rig);
        rig.streaming = way % 3 != 0;
        rig.arg = way % 3 == 2 ? &rig : NULL;
        rig.request = on_request;
        rig.body = on_body;
        rig_open(&rig);
        rig_connect(&rig, &client);
        if (way < 3) rig_send(&client, text);
        for (size_t i = 0; way >= 3 && i < sizeof text - 1; i++) {
            rig_send_bytes(&client, text + i, 1);
        }
        rig_turn(&rig, 3);
        gale_str_t got = rig_take(&client);
        CHECK_EQ_UINT(rig_count(got, "HTTP/1.1 200 OK"), 3);
        CHECK_EQ_UINT(rig_count(got, "\r\n\r\nSum=294;Other=;HTTP/1.1"), 1);
        CHECK_EQ_UINT(rig_count(got, "\r\n\r\nHTTP/1.1"), 1);
        CHECK(got.len > 7 && memcmp(got.ptr + got.len - 7, "Last=1;", 7) == 0);
        rig_drop(&rig, &client);
        rig_close(&rig);
    }
}

/* H1-13: bounded while they come. */
TEST(http1_trailers, too_many_are_431_H1_13) {
    for (int way = 0; way < 2; way++) {
        rig_t rig;
        rig_client_t client;
        rig_text_t text = {0};
        rig_init(&rig);
        rig_open(&rig);
        rig_connect(&rig, &client);
        rig_text_addf(&text, "%s0\r\n", CHUNKED);
        for (int i = 0; way == 0 && i < 65; i++) rig_text_addf(&text, "A%d: b\r\n", i);
        if (way == 1) rig_text_addf(&text, "A: ");
        if (way == 1) rig_text_add(&text, gale_str(rig_pattern(9000), 9000));
        rig_send_bytes(&client, text.text, text.len);
        rig_turn(&rig, 3);
        gale_str_t got = rig_take(&client);
        CHECK_EQ_INT(rig_status_of(got), 431);
        CHECK(
            rig_has(got, "431 Request Header Fields Too Large: the trailer section is too long\n"));
        CHECK_EQ_UINT(rig.requests, 0);
        CHECK_EQ_UINT(client.closes, 1);
        rig_text_free(&text);
        rig_drop(&rig, &client);
        rig_close(&rig);
    }
}
