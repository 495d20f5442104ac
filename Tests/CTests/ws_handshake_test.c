/* The client's side of the opening handshake (WS-19; RFC 6455 4.1): the request as it is written.
 * What becomes of its answers is in ws_connect_refuse_test.c. */
#include "ws_handshake.h"

#include "str.h"
#include "test.h"

static gale__ws_url_t url;

static gale__ws_request_t request_to(const char *text) {
    gale__ws_request_t r = {.url = &url, .rules = {.window_bits = 15}};
    CHECK(gale__ws_url_parse(&url, gale_cstr(text)));
    memcpy(r.key, "dGhlIHNhbXBsZSBub25jZQ==", GALE__WS_KEY);
    return r;
}

static gale_str_t written(const gale__ws_request_t *r) {
    static char out[1024];
    size_t len = gale__ws_request_write(NULL, r);
    CHECK(len < sizeof out);
    CHECK_EQ_UINT(gale__ws_request_write(out, r), len);
    return gale_str(out, len);
}

#define OURS                                                                                       \
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                   \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

TEST(ws_handshake, the_request) {
    gale__ws_request_t r = request_to("ws://h:8080?x");
    CHECK_EQ_STR(written(&r), "GET /?x HTTP/1.1\r\nHost: h:8080\r\n" OURS "\r\n");
    r = request_to("ws+unix:/s");
    CHECK_EQ_STR(written(&r), "GET / HTTP/1.1\r\nHost: localhost\r\n" OURS "\r\n");
    r = request_to("ws://[::1]/a");
    r.subprotocols = GALE__LIT("a, b");
    r.fields = GALE__LIT("X: y\r\n");
    r.more_fields = GALE__LIT("Host: z\r\n");
    r.names_host = r.deflate = true;
    CHECK_EQ_STR(written(&r), "GET /a HTTP/1.1\r\n" OURS "Sec-WebSocket-Protocol: a, b\r\n"
                              "Sec-WebSocket-Extensions: permessage-deflate; "
                              "server_no_context_takeover; client_no_context_takeover; "
                              "client_max_window_bits\r\nX: y\r\nHost: z\r\n\r\n");
}

TEST(ws_handshake, fields_of_its_own) {
    static const char *const ours[] = {
        "upgrade",        "CONNECTION",        "sec-websocket-anything",
        "Content-Length", "Transfer-Encoding", "TE"};
    static const char *const theirs[] = {"Host", "Cookie", "Sec-WebSocket", "Origin", "X"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        CHECK_MSG(gale__ws_request_owns(gale_cstr(ours[i])), "%s", ours[i]);
    }
    for (size_t i = 0; i < sizeof theirs / sizeof *theirs; i++) {
        CHECK_MSG(!gale__ws_request_owns(gale_cstr(theirs[i])), "%s", theirs[i]);
    }
}

static const char *fault_of(const char *text, const gale__ws_request_t *r,
                            gale__ws_agreed_t *agreed) {
    static gale_header_t table[16];
    gale__head_limits_t limits = {.max_bytes = 4096, .max_headers = 16};
    gale__answer_t a;
    gale__answer_init(&a, table);
    CHECK_EQ_INT(gale__answer_parse(&a, &limits, text, strlen(text)), (int)strlen(text));
    return gale__ws_answer_fault(&a, r, agreed);
}

/* RFC 6455 1.3 has this key, and the answer to it. */
#define ANSWER(first, more)                                                                        \
    first "Upgrade: WebSocket\r\nConnection: upgrade\r\n"                                          \
          "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" more "\r\n"
#define NEW "HTTP/1.1 101 x\r\n"

TEST(ws_handshake, answers) {
    gale__ws_agreed_t agreed;
    gale__ws_request_t r = request_to("ws://h/");
    CHECK(fault_of(ANSWER(NEW, ""), &r, &agreed) == NULL);
    CHECK_EQ_UINT(agreed.subprotocol.len + agreed.deflate.server_bits, 0);
    CHECK(fault_of(ANSWER("HTTP/1.0 101 x\r\n", ""), &r, &agreed) != NULL);
    CHECK(fault_of(ANSWER(NEW, "Content-Length: 0\r\n"), &r, &agreed) != NULL);
    CHECK(fault_of(ANSWER(NEW, "Upgrade: websocket\r\n"), &r, &agreed) != NULL);
    CHECK(fault_of(ANSWER(NEW, "Sec-WebSocket-Accept: x\r\n"), &r, &agreed) != NULL);
    CHECK(fault_of(ANSWER(NEW, "Sec-WebSocket-Protocol: a\r\n"), &r, &agreed) != NULL);
    r.subprotocols = GALE__LIT("a, b");
    CHECK(fault_of(ANSWER(NEW, "Sec-WebSocket-Protocol: b\r\n"), &r, &agreed) == NULL);
    CHECK_EQ_STR(agreed.subprotocol, "b");
    CHECK(fault_of(ANSWER(NEW, "Sec-WebSocket-Protocol: B\r\n"), &r, &agreed) != NULL);
    CHECK(fault_of(ANSWER(NEW, "Sec-WebSocket-Protocol: a, b\r\n"), &r, &agreed) != NULL);
    CHECK(fault_of(ANSWER(NEW, "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n"), &r,
                   &agreed) != NULL);
    CHECK(fault_of(ANSWER(NEW, ""), &r, &agreed) == NULL); /* none of them is no fault */
}
