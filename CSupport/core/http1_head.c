/*
 * Request heads of HTTP/1.x: what the fields mean, and the choice of the implementation. Finding
 * lines, names and values is http1_head_parse.h, compiled once for each kind of vectors; it calls
 * in here for the few fields that decide about framing and connection (gale__head_field), for
 * unusual targets and versions, and at the end of the head.
 */
#include "http1_head.h"

#include <stdatomic.h>

#include "host.h"
#include "http1_head_impl.h"
#include "str.h"

int gale__head_refuse(gale__head_t *head, int status, const char *error) {
    head->error = error;
    return -status;
}

/* ------------------------------------------------------------------------------------- targets */

/* The authority of "http://authority/path"; ptr null when this is no absolute-form of
 * our schemes. */
static gale_str_t target_authority(gale_str_t target) {
    size_t at = 0;
    if (target.len >= 7 && gale__eq_nocase(gale_str(target.ptr, 7), GALE__LIT("http://"))) at = 7;
    if (target.len >= 8 && gale__eq_nocase(gale_str(target.ptr, 8), GALE__LIT("https://"))) at = 8;
    gale_str_t authority = {at > 0 ? target.ptr + at : NULL, 0};
    while (at > 0 && at < target.len && target.ptr[at] != '/' && target.ptr[at] != '?') {
        at++;
        authority.len++;
    }
    return authority;
}

int gale__head_target(gale__head_t *head) {
    gale_str_t target = head->target;
    /* authority-form is for CONNECT and CONNECT is for authority-form (RFC 9112 3.2.3). */
    if (gale__eq(head->method, GALE__LIT("CONNECT"))) {
        if (gale__is_authority(target, true)) return 0;
        return gale__head_refuse(head, 400, "CONNECT wants host:port as its target");
    }
    if (target.ptr[0] == '/') return 0;
    if (target.len == 1 && target.ptr[0] == '*') {
        if (gale__eq(head->method, GALE__LIT("OPTIONS"))) return 0;
        return gale__head_refuse(head, 400, "the target * is for OPTIONS only");
    }
    gale_str_t authority = target_authority(target);
    if (authority.ptr == NULL) {
        return gale__head_refuse(head, 400, "the request target is neither a path nor an http URL");
    }
    /* Userinfo is refused too: it serves to disguise the host (RFC 9110 4.2.4). */
    if (gale__is_authority(authority, false)) return 0;
    return gale__head_refuse(head, 400, "the request target has no valid host");
}

int gale__head_version(gale__head_t *head, const gale__head_limits_t *limits, const char *bytes,
                       size_t len) {
    /* 'd' stands for a digit. */
    static const char strict[] = "HTTP/d.d\r\n", bare[] = "HTTP/d.d\n";
    bool lf = len > 8 && bytes[8] == '\n' && (limits->lenient & GALE__LENIENT_BARE_LF);
    const char *pattern = lf ? bare : strict;
    size_t size = lf ? GALE__VERSION_LEN - 1 : GALE__VERSION_LEN;
    for (size_t i = 0; i < size && i < len; i++) {
        bool digit = gale__is((uint8_t)bytes[i], GALE__DIGIT);
        if (pattern[i] == 'd' ? digit : bytes[i] == pattern[i]) continue;
        return gale__head_refuse(head, 400, "the request line does not end in HTTP/1.1 and CRLF");
    }
    if (len < size) return 0;
    if (bytes[5] != '1' || bytes[7] > '1') {
        return gale__head_refuse(head, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    }
    head->minor = (uint8_t)(bytes[7] - '0');
    return (int)size;
}

/* ----------------------------------------------------------------------------------- the fields */

static bool once(gale__head_t *head, uint32_t flag) {
    bool first = (head->state & flag) == 0;
    head->state |= flag;
    return first;
}

static int take_host(gale__head_t *head, gale_str_t value) {
    if (!once(head, GALE__SAW_HOST)) return gale__head_refuse(head, 400, "more than one Host");
    head->host = value;
    if (value.len > 0) {
        if (gale__is_authority(value, false)) return 0;
        return gale__head_refuse(head, 400, "Host is not a valid host and port");
    }
    /* Empty is right where the target has no authority (RFC 9112 3.2); an http URL always has one
     * (RFC 9110 4.2.1). */
    if (head->minor == 0 || head->target.ptr[0] != '/') return 0;
    return gale__head_refuse(head, 400, "Host is empty");
}

/* RFC 9110 8.6 lets equal ones be merged, and then they are: nobody sees them twice. */
static int merge_lengths(gale__head_t *head, gale_str_t list) {
    gale_str_t one;
    int64_t length;
    bool first = !head->has_content_length;
    gale_header_t *field = &head->headers[head->header_count - 1];
    while (gale__list_next(&list, &one)) {
        if (!gale__parse_int64(one, &length)) {
            return gale__head_refuse(head, 400, "Content-Length is not a number");
        }
        if (head->has_content_length && length != head->content_length) {
            return gale__head_refuse(head, 400, "more than one Content-Length");
        }
        if (!head->has_content_length) field->value = one;
        head->content_length = length;
        head->has_content_length = true;
    }
    if (!first) head->header_count--;
    return 0;
}

static int take_content_length(gale__head_t *head, const gale__head_limits_t *limits,
                               gale_str_t value) {
    bool merge = limits->lenient & GALE__LENIENT_LENGTHS;
    /* Whoever repeats it may mean to confuse the one behind us. */
    if (!once(head, GALE__SAW_LENGTH) && !merge) {
        return gale__head_refuse(head, 400, "more than one Content-Length");
    }
    if (head->chunked) {
        return gale__head_refuse(head, 400, "Content-Length together with Transfer-Encoding");
    }
    if (merge) return merge_lengths(head, value);
    if (!gale__parse_int64(value, &head->content_length)) {
        return gale__head_refuse(head, 400, "Content-Length is not a number");
    }
    head->has_content_length = true;
    return 0;
}

/* A list of tokens whose only and last "chunked" is at the end: codings we might have known (RFC
 * 9112 6.1). */
static bool chunked_is_final(gale_str_t list) {
    gale_str_t coding;
    bool chunked = false;
    while (gale__list_next(&list, &coding)) {
        if (chunked || !gale__is_token(coding)) return false;
        chunked = gale__eq_nocase(coding, GALE__LIT("chunked"));
    }
    return chunked;
}

static int take_transfer_encoding(gale__head_t *head, gale_str_t value) {
    if (head->minor == 0) {
        return gale__head_refuse(head, 400, "Transfer-Encoding in HTTP/1.0"); /* RFC 9112 6.1 */
    }
    if (!once(head, GALE__SAW_CODING)) {
        return gale__head_refuse(head, 400, "more than one Transfer-Encoding");
    }
    if (head->has_content_length) {
        return gale__head_refuse(head, 400, "Transfer-Encoding together with Content-Length");
    }
    if (!gale__eq_nocase(value, GALE__LIT("chunked"))) {
        /* Without a final chunked the end of the body is unknown: 400 is a must (RFC 9112 6.3). */
        if (!chunked_is_final(value)) {
            return gale__head_refuse(head, 400, "Transfer-Encoding is not chunked");
        }
        return gale__head_refuse(head, 501, "no transfer coding but chunked is known here");
    }
    head->chunked = true;
    return 0;
}

/* A list of expectations, of which HTTP/1.0 has none (RFC 9110 10.1.1). Whoever expects what nobody
 * here knows is told so, rather than served as if it were met. */
static int take_expect(gale__head_t *head, gale_str_t value) {
    gale_str_t one;
    while (head->minor > 0 && gale__list_next(&value, &one)) {
        if (gale__eq_nocase(one, GALE__LIT("100-continue"))) {
            head->expect_continue = true;
        } else if (one.len > 0) {
            return gale__head_refuse(head, 417, "no expectation but 100-continue is known here");
        }
    }
    return 0;
}

/* Whether a name or a value is this one, which is in lower case and has as many bytes. Neither holds
 * control characters, so that only a letter and its capital become the same by 0x20, and "-" is
 * alone. */
static inline __attribute__((always_inline)) bool is_text(gale_str_t text, const char *lower,
                                                          size_t len) {
    uint32_t difference = 0;
    for (size_t i = 0; i < len; i += 4) {
        uint32_t a, b;
        size_t at = i + 4 <= len ? i : len - 4;
        memcpy(&a, text.ptr + at, 4);
        memcpy(&b, lower + at, 4);
        difference |= (a | 0x20202020u) ^ b;
    }
    return difference == 0;
}

static void take_connection(gale__head_t *head, gale_str_t value) {
    static const char usual[] = "keep-alive";
    if (value.len == sizeof usual - 1 && is_text(value, usual, sizeof usual - 1)) {
        head->state |= GALE__SAW_KEEP_ALIVE;
        return;
    }
    if (gale__list_has(value, GALE__LIT("close"))) head->state |= GALE__SAW_CLOSE;
    if (gale__list_has(value, GALE__LIT("keep-alive"))) head->state |= GALE__SAW_KEEP_ALIVE;
    if (gale__list_has(value, GALE__LIT("upgrade"))) head->state |= GALE__SAW_CONNECTION_UPGRADE;
}

int gale__head_field(gale__head_t *head, const gale__head_limits_t *limits) {
    const gale_header_t *field = &head->headers[head->header_count - 1];
    gale_str_t name = field->name;
#define IS(text) is_text(name, text, sizeof(text) - 1)
    switch (name.len) {
    case 4:
        return IS("host") ? take_host(head, field->value) : 0;
    case 6:
        return IS("expect") ? take_expect(head, field->value) : 0;
    case 7:
        if (IS("upgrade")) head->state |= GALE__SAW_UPGRADE;
        return 0;
    case 10:
        if (IS("connection")) take_connection(head, field->value);
        return 0;
    case 14:
        return IS("content-length") ? take_content_length(head, limits, field->value) : 0;
    case 17:
        return IS("transfer-encoding") ? take_transfer_encoding(head, field->value) : 0;
    default:
        return 0;
    }
#undef IS
}

/* A target that is neither a path nor "*". What an http URL says of the host goes before Host, which
 * is replaced, so that nobody takes the other one for it (RFC 9112 3.2.2). */
static int finish_target(gale__head_t *head) {
    gale_str_t authority = target_authority(head->target);
    if (authority.ptr == NULL) {
        /* What stands behind a CONNECT is the tunnel's; a body there would be read as either (RFC
         * 9110 9.3.6). */
        if (!head->chunked && head->content_length == 0) return 0;
        return gale__head_refuse(head, 400, "CONNECT with a body");
    }
    head->host = authority;
    for (uint32_t i = 0; i < head->header_count; i++) {
        gale_header_t *field = &head->headers[i];
        if (gale__eq_nocase(field->name, GALE__LIT("Host"))) field->value = authority;
    }
    return 0;
}

bool gale__head_unfold(const gale__head_t *head, const gale__head_limits_t *limits,
                       const char *bytes, uint32_t line) {
    /* What frames the message or says whom it is for must be read by all in the same way. */
    static const gale_str_t never[] = {{"Host", 4},        {"Content-Length", 14},
                                       {"Connection", 10}, {"Transfer-Encoding", 17},
                                       {"Upgrade", 7},     {"Expect", 6}};
    if (!(limits->lenient & GALE__LENIENT_OBS_FOLD) || head->header_count == 0) return false;
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        if (gale__eq_nocase(head->headers[head->header_count - 1].name, never[i])) return false;
    }
    char *end = (char *)bytes + line - 1; /* LF, and perhaps CR before it */
    *end = ' ';
    if (end[-1] == '\r') end[-1] = ' ';
    return true;
}

int gale__head_finish(gale__head_t *head, const gale__head_limits_t *limits, uint32_t size) {
    uint32_t saw = head->state;
    if (head->minor == 1 && (saw & GALE__SAW_HOST) == 0 &&
        !(limits->lenient & GALE__LENIENT_NO_HOST)) {
        return gale__head_refuse(head, 400, "HTTP/1.1 without Host"); /* RFC 9112 3.2 */
    }
    head->keep_alive =
        (saw & GALE__SAW_CLOSE) == 0 && (head->minor == 1 || (saw & GALE__SAW_KEEP_ALIVE) != 0);
    /* HTTP/1.0 cannot upgrade (RFC 9110 7.8). */
    head->upgrade = head->minor == 1 && (saw & GALE__SAW_UPGRADE) != 0 &&
                    (saw & GALE__SAW_CONNECTION_UPGRADE) != 0;
    if (head->target.ptr[0] != '/' && head->target.len > 1) {
        int refused = finish_target(head);
        if (refused < 0) return refused;
    }
    return (int)size;
}

int gale__head_refuse_line(gale__head_t *head, uint8_t byte, bool empty) {
    if (GALE__PHASE(head->state) <= GALE__PHASE_METHOD) {
        return gale__head_refuse(head, 400, "the request line does not begin with a method");
    }
    if (empty && (byte == ' ' || byte == '\t')) {
        return gale__head_refuse(head, 400, "a header line begins with a blank"); /* RFC 9112 5.2 */
    }
    if (byte == ' ' || byte == '\t') {
        return gale__head_refuse(head, 400, "a blank stands in a header name"); /* RFC 9112 5.1 */
    }
    if (byte == '\r' || byte == '\n') {
        return gale__head_refuse(head, 400, "a header line has no colon or does not end in CRLF");
    }
    return gale__head_refuse(head, 400, "a header name holds an invalid character");
}

int gale__head_too_long(gale__head_t *head, uint32_t phase) {
    if (phase <= GALE__PHASE_METHOD) { /* RFC 9112 3 wants 501 for this one */
        return gale__head_refuse(head, 501, "the method is too long to be one");
    }
    if (phase < GALE__PHASE_NAME) return gale__head_refuse(head, 414, "the target is too long");
    return gale__head_refuse(head, 431, "the header is too long");
}

/* ------------------------------------------------------------------------------ life and rebase */

void gale__head_init(gale__head_t *head, gale_header_t *table) {
    memset(head, 0, sizeof *head);
    head->headers = table;
}

static void move(gale_str_t *s, const char *from, const char *to) {
    if (s->ptr != NULL) s->ptr = to + (s->ptr - from);
}

void gale__head_rebase(gale__head_t *head, const char *from, const char *to) {
    move(&head->method, from, to);
    move(&head->target, from, to);
    move(&head->host, from, to);
    uint32_t phase = GALE__PHASE(head->state);
    /* Within a value the name already stands in the table. */
    uint32_t count = head->header_count + (phase == GALE__PHASE_VALUE);
    for (uint32_t i = 0; i < count; i++) {
        move(&head->headers[i].name, from, to);
        if (i < head->header_count) move(&head->headers[i].value, from, to);
    }
}

/* ------------------------------------------------------------------------------------- dispatch */

static const gale__head_impl_t impls[] = {
#if defined(__x86_64__)
    {"avx512", gale__head_parse_avx512},
    {"avx2", gale__head_parse_avx2},
    {"sse42", gale__head_parse_sse42},
#elif defined(__aarch64__)
    {"neon", gale__head_parse_neon},
#endif
    {"scalar", gale__head_parse_scalar},
};

/* Each CPU that runs one of them runs those behind it as well. */
static size_t first_usable(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                __builtin_cpu_supports("bmi2");
    if (avx2 && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi")) {
        return 0;
    }
    if (avx2) return 1;
    return __builtin_cpu_supports("sse4.2") ? 2 : 3;
#else
    return 0;
#endif
}

const gale__head_impl_t *gale__head_impls(size_t *count) {
    size_t first = first_usable();
    *count = sizeof impls / sizeof *impls - first;
    return &impls[first];
}

static int parse_first(gale__head_t *head, const gale__head_limits_t *limits, const char *bytes,
                       size_t len);

/* Several threads may choose at the same time: they choose the same. */
static _Atomic(gale__head_parse_fn) chosen = parse_first;

static int parse_first(gale__head_t *head, const gale__head_limits_t *limits, const char *bytes,
                       size_t len) {
    size_t count;
    gale__head_parse_fn parse = gale__head_impls(&count)->parse;
    atomic_store_explicit(&chosen, parse, memory_order_relaxed);
    return parse(head, limits, bytes, len);
}

int gale__head_parse(gale__head_t *head, const gale__head_limits_t *limits, const char *bytes,
                     size_t len) {
    return atomic_load_explicit(&chosen, memory_order_relaxed)(head, limits, bytes, len);
}
