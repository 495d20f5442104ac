/* gale_query_*, gale_header_*, gale_cookie_next, gale_req_cookie, gale_safe_filename. The parsers
 * beneath have their own tables. */
#include <stdlib.h>

#include "rig.h"
#include "rig_alloc.h"

#define S(text) gale_str(text, sizeof(text) - 1)

TEST(fields, query_get_HU_13) { /* WEB-11: the last counts */
    char out[16];
    CHECK_EQ_INT(gale_query_get(S("a=1&b=x+%41&a=2"), S("a"), out, sizeof out), 1);
    CHECK_EQ_STR(gale_str(out, 2), "2\0");
    CHECK_EQ_INT(gale_query_get(S("a=1&b=x+%41&a=2"), S("b"), out, sizeof out), 3);
    CHECK_EQ_STR(gale_str(out, 4), "x A\0");
    CHECK_EQ_INT(gale_query_get(S("a&%62"), S("b"), out, sizeof out), 0);
    CHECK_EQ_INT(gale_query_get(S("a=1"), S("b"), out, sizeof out), UV_ENOENT);
    CHECK_EQ_INT(gale_query_get(S(""), S(""), out, sizeof out), UV_ENOENT);
    CHECK_EQ_INT(gale_query_get(gale_str(NULL, 0), S("a"), out, sizeof out), UV_ENOENT);
    CHECK_EQ_INT(gale_query_get(S("a=%41%42"), S("a"), out, 3), 2);
    CHECK_EQ_INT(gale_query_get(S("a=%41%42"), S("a"), out, 2), UV_ENOBUFS);
    CHECK_EQ_INT(gale_query_get(S("a="), S("a"), out, 0), UV_ENOBUFS);
}

/* `count` fields "a=1&a=1&...". */
static gale_str_t many(size_t count) {
    static char text[8000];
    size_t len = 0;
    for (size_t i = 0; i < count; i++, len += 4) memcpy(text + len, "a=1&", 4);
    return gale_str(text, len);
}

TEST(fields, a_thousand_HU_13) { /* Advisory A36: of the URL query too */
    char out[16];
    gale_str_t name, value;
    size_t pos = 0, count = 0;
    CHECK_EQ_INT(gale_query_get(many(1000), S("a"), out, sizeof out), 1);
    while (gale_query_next(many(1000), &pos, out, sizeof out, &name, &value) == 1) count++;
    CHECK_EQ_UINT(count, 1000);
    pos = 0;
    CHECK_EQ_INT(gale_query_get(many(1001), S("a"), out, sizeof out), GALE_ELIMIT);
    CHECK_EQ_INT(gale_query_next(many(1001), &pos, out, sizeof out, &name, &value), GALE_ELIMIT);
}

TEST(fields, query_next_HU_13) {
    char out[6];
    gale_str_t query = S("&a%20b=c&&d&e=toolong"), name, value;
    size_t pos = 0;
    CHECK_EQ_INT(gale_query_next(query, &pos, out, sizeof out, &name, &value), 1);
    CHECK_EQ_STR(name, "a b");
    CHECK_EQ_STR(value, "c");
    CHECK_EQ_INT(gale_query_next(query, &pos, out, sizeof out, &name, &value), 1);
    CHECK_EQ_STR(name, "d");
    CHECK_EQ_STR(value, "");
    CHECK_EQ_INT(gale_query_next(query, &pos, out, sizeof out, &name, &value), UV_ENOBUFS);
    CHECK_EQ_INT(gale_query_next(query, &pos, out, 0, &name, &value), UV_ENOBUFS);
    pos = query.len;
    CHECK_EQ_INT(gale_query_next(query, &pos, out, sizeof out, &name, &value), 0);
    pos = query.len + 5;
    CHECK_EQ_INT(gale_query_next(query, &pos, out, sizeof out, &name, &value), 0);
    pos = 0;
    CHECK_EQ_INT(gale_query_next(gale_str(NULL, 0), &pos, out, sizeof out, &name, &value), 0);
}

TEST(fields, header_HU_10) {
    char out[16];
    gale_str_t type = S("text/html ; charset=\"utf-8\"; x=\"");
    CHECK_EQ_STR(gale_header_main(type), "text/html");
    CHECK(gale_header_main(S("\"a")).ptr == NULL);
    CHECK_EQ_INT(gale_header_param(type, S("charset"), out, sizeof out), GALE_EHEADER);
    type.len -= 5;
    CHECK_EQ_INT(gale_header_param(type, S("Charset"), out, 6), 5);
    CHECK_EQ_STR(gale_str(out, 6), "utf-8\0");
    CHECK_EQ_INT(gale_header_param(type, S("charset"), out, 5), UV_ENOBUFS);
    CHECK_EQ_INT(gale_header_param(type, S("charset"), out, 0), UV_ENOBUFS);
    CHECK_EQ_INT(gale_header_param(type, S("none"), out, sizeof out), UV_ENOENT);
}

TEST(fields, cookie_next_HU_30) {
    char out[8];
    gale_str_t field = S("a=b; c=\"\\041\"; ;d; e=muchtoolong"), name, value;
    size_t pos = 0;
    CHECK_EQ_INT(gale_cookie_next(field, &pos, out, sizeof out, &name, &value), 1);
    CHECK_EQ_STR(name, "a");
    CHECK_EQ_STR(value, "b");
    CHECK_EQ_INT(gale_cookie_next(field, &pos, out, sizeof out, &name, &value), 1);
    CHECK_EQ_STR(value, "!");
    CHECK_EQ_INT(gale_cookie_next(field, &pos, out, sizeof out, &name, &value), 1);
    CHECK_EQ_STR(name, "");
    CHECK_EQ_STR(value, "d");
    CHECK_EQ_INT(gale_cookie_next(field, &pos, out, sizeof out, &name, &value), UV_ENOBUFS);
}

TEST(fields, safe_filename_HU_17) {
    char out[256];
    CHECK_EQ_INT(gale_safe_filename(S("../../etc/passwd"), out, sizeof out), 6);
    CHECK_EQ_STR(gale_str(out, 7), "passwd\0");
    CHECK_EQ_INT(gale_safe_filename(S("abc"), out, 4), 3);
    CHECK_EQ_INT(gale_safe_filename(S("abc"), out, 3), UV_ENOBUFS);
}

/* ------------------------------------------------------------------------------ gale_req_cookie */

#define COOKIES                                                                                    \
    "GET / HTTP/1.1\r\nHost: h\r\nCookie: a=1; q=\"x;y\"; b=\"\\054\"; e=; a=\"2\"\r\n"            \
    "cookie: c=\"\\\\3\"; b=\"\\101\\102\"\r\n\r\n"

static void look(rig_t *rig, gale_req_t *req) {
    (void)rig;
    gale_str_t b = gale_req_cookie(req, S("b")); /* the last, also of a second field */
    gale_str_t c = gale_req_cookie(req, S("c"));
    CHECK_EQ_STR(gale_req_cookie(req, S("a")), "2");
    CHECK_EQ_STR(gale_req_cookie(req, S("q")), "\"x");
    CHECK(gale_req_cookie(req, S("e")).ptr != NULL && gale_req_cookie(req, S("e")).len == 0);
    CHECK(gale_req_cookie(req, S("A")).ptr == NULL);
    CHECK_EQ_STR(b, "AB");
    CHECK_EQ_STR(c, "\\3");
    CHECK(gale_req_cookie(req, S("b")).ptr == b.ptr); /* no memory for each call */
    CHECK_EQ_INT(gale_respond_text(req, 200, "ok"), 0);
}

TEST(fields, req_cookie_HU_30) { /* WEB-14 */
    rig_t rig;
    char out[1024];
    rig_init(&rig);
    rig.request = look;
    rig_open(&rig);
    rig_ask(&rig, COOKIES, out, sizeof out);
    CHECK_EQ_UINT(rig.requests, 1);
    rig_close(&rig);
}

static void look_without_memory(rig_t *rig, gale_req_t *req) {
    (void)rig;
    rig_alloc_pause(false);
    CHECK(gale_req_cookie(req, S("b")).ptr == NULL);
    CHECK_EQ_STR(gale_req_cookie(req, S("a")), "2"); /* needs none */
    CHECK(rig_alloc_refused());
    rig_alloc_pause(true);
    CHECK_EQ_STR(gale_req_cookie(req, S("b")), "AB");
    CHECK_EQ_INT(gale_respond_text(req, 200, "ok"), 0);
}

TEST(fields, req_cookie_without_memory) {
    rig_t rig;
    char out[1024];
    rig_alloc_begin(1, true);
    rig_alloc_pause(true);
    rig_init(&rig);
    rig.request = look_without_memory;
    rig_open(&rig);
    rig_ask(&rig, COOKIES, out, sizeof out);
    CHECK_EQ_UINT(rig.requests, 1);
    rig_close(&rig);
    rig_alloc_end();
}
