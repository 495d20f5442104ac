/*
 * Response heads (RFC 9112 4): the caller's headers checked, then everything copied into memory the
 * caller provides.
 *
 * On the path of every response, so: status lines are ready-made, Server and Date are one copy of
 * what the worker makes once a second, names are looked at closely only when their length is that
 * of a name the core cares about, and names and values are checked 16 bytes at a time. Check and
 * write are two steps, so that a refused header leaves nothing half written (WEB-10, H1-17).
 */
#include "http1_response.h"

#include <string.h>

#include "str.h"

/* Reason phrases of the IANA registry (RFC 9110 15; RFC 6585, 7725, 8297, 8470 and the WebDAV
 * ones). */
#define STATUSES(XX)                                                                               \
    XX(100, "Continue")                                                                            \
    XX(101, "Switching Protocols")                                                                 \
    XX(102, "Processing")                                                                          \
    XX(103, "Early Hints")                                                                         \
    XX(200, "OK")                                                                                  \
    XX(201, "Created")                                                                             \
    XX(202, "Accepted")                                                                            \
    XX(203, "Non-Authoritative Information")                                                       \
    XX(204, "No Content")                                                                          \
    XX(205, "Reset Content")                                                                       \
    XX(206, "Partial Content")                                                                     \
    XX(207, "Multi-Status")                                                                        \
    XX(208, "Already Reported")                                                                    \
    XX(226, "IM Used")                                                                             \
    XX(300, "Multiple Choices")                                                                    \
    XX(301, "Moved Permanently")                                                                   \
    XX(302, "Found")                                                                               \
    XX(303, "See Other")                                                                           \
    XX(304, "Not Modified")                                                                        \
    XX(305, "Use Proxy")                                                                           \
    XX(307, "Temporary Redirect")                                                                  \
    XX(308, "Permanent Redirect")                                                                  \
    XX(400, "Bad Request")                                                                         \
    XX(401, "Unauthorized")                                                                        \
    XX(402, "Payment Required")                                                                    \
    XX(403, "Forbidden")                                                                           \
    XX(404, "Not Found")                                                                           \
    XX(405, "Method Not Allowed")                                                                  \
    XX(406, "Not Acceptable")                                                                      \
    XX(407, "Proxy Authentication Required")                                                       \
    XX(408, "Request Timeout")                                                                     \
    XX(409, "Conflict")                                                                            \
    XX(410, "Gone")                                                                                \
    XX(411, "Length Required")                                                                     \
    XX(412, "Precondition Failed")                                                                 \
    XX(413, "Content Too Large")                                                                   \
    XX(414, "URI Too Long")                                                                        \
    XX(415, "Unsupported Media Type")                                                              \
    XX(416, "Range Not Satisfiable")                                                               \
    XX(417, "Expectation Failed")                                                                  \
    XX(418, "I'm a Teapot")                                                                        \
    XX(421, "Misdirected Request")                                                                 \
    XX(422, "Unprocessable Content")                                                               \
    XX(423, "Locked")                                                                              \
    XX(424, "Failed Dependency")                                                                   \
    XX(425, "Too Early")                                                                           \
    XX(426, "Upgrade Required")                                                                    \
    XX(428, "Precondition Required")                                                               \
    XX(429, "Too Many Requests")                                                                   \
    XX(431, "Request Header Fields Too Large")                                                     \
    XX(451, "Unavailable For Legal Reasons")                                                       \
    XX(500, "Internal Server Error")                                                               \
    XX(501, "Not Implemented")                                                                     \
    XX(502, "Bad Gateway")                                                                         \
    XX(503, "Service Unavailable")                                                                 \
    XX(504, "Gateway Timeout")                                                                     \
    XX(505, "HTTP Version Not Supported")                                                          \
    XX(506, "Variant Also Negotiates")                                                             \
    XX(507, "Insufficient Storage")                                                                \
    XX(508, "Loop Detected")                                                                       \
    XX(510, "Not Extended")                                                                        \
    XX(511, "Network Authentication Required")

const char *gale__reason(int status) {
    switch (status) {
#define XX(code, text)                                                                             \
    case code:                                                                                     \
        return text;
        STATUSES(XX)
#undef XX
    default:
        return "Unknown";
    }
}

/* Room for everything the core may add to the stamp and the caller's headers: status line (57 bytes
 * at most), Content-Length (38), Upgrade and Connection (45), empty line (2). */
enum { FIXED = 160 };
/* Longest head taken: far above any limit of io, low enough that no sum overflows. */
enum { MAX_HEAD = 1 << 30 };

/* Headers that mean something to the core. */
enum {
    NAME_OTHER,
    NAME_DATE,
    NAME_SERVER,
    NAME_UPGRADE,
    NAME_CONNECTION,
    NAME_LENGTH,
    NAME_ENCODING
};

static int name_kind(gale_str_t name) {
    switch (name.len) {
    case 4:
        return gale__eq_nocase(name, GALE__LIT("date")) ? NAME_DATE : NAME_OTHER;
    case 6:
        return gale__eq_nocase(name, GALE__LIT("server")) ? NAME_SERVER : NAME_OTHER;
    case 7:
        return gale__eq_nocase(name, GALE__LIT("upgrade")) ? NAME_UPGRADE : NAME_OTHER;
    case 10:
        return gale__eq_nocase(name, GALE__LIT("connection")) ? NAME_CONNECTION : NAME_OTHER;
    case 14:
        return gale__eq_nocase(name, GALE__LIT("content-length")) ? NAME_LENGTH : NAME_OTHER;
    case 17:
        return gale__eq_nocase(name, GALE__LIT("transfer-encoding")) ? NAME_ENCODING : NAME_OTHER;
    default:
        return NAME_OTHER;
    }
}

static bool all_in_class(gale_str_t s, uint8_t class_bit) {
    uint8_t all = class_bit;
    for (size_t i = 0; i < s.len; i++) all &= gale__char_class[(uint8_t)s.ptr[i]];
    return all != 0;
}

/* Vectors of gcc and clang: SSE2, NEON, or words where there are none. A lane of a comparison is 0
 * or -1. */
typedef int8_t vec_t __attribute__((vector_size(16)));

static vec_t load16(const char *p) {
    vec_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* Eight bytes from each place, which may overlap: 8 to 16 bytes in one vector. */
static vec_t load8_8(const char *p, const char *q) {
    uint64_t w[2];
    vec_t v;
    memcpy(&w[0], p, 8);
    memcpy(&w[1], q, 8);
    memcpy(&v, w, sizeof v);
    return v;
}

static bool any(vec_t v) {
    uint64_t w[2];
    memcpy(w, &v, sizeof w);
    return (w[0] | w[1]) != 0;
}

/* Lanes that want a closer look. In a name: all but letters and hyphens, which is what nearly every
 * name is made of. In a value: control characters, TAB among them. */
static inline vec_t odd_lanes(vec_t v, bool in_name) {
    vec_t lower = v | 0x20;
    if (in_name) return ~(((lower >= 'a') & (lower <= 'z')) | (v == '-'));
    return ((v >= 0) & (v < 0x20)) | (v == 0x7f);
}

/* Whether there are such; s.len >= 8. The last vector overlaps the one before. */
static inline bool has_odd(gale_str_t s, bool in_name) {
    if (s.len < 16) return any(odd_lanes(load8_8(s.ptr, s.ptr + s.len - 8), in_name));
    size_t last = s.len - 16;
    vec_t odd = odd_lanes(load16(s.ptr + last), in_name);
    for (size_t i = 0; i < last; i += 16) odd |= odd_lanes(load16(s.ptr + i), in_name);
    return any(odd);
}

/* A name with a digit, or a value with a TAB, is rare: the table has the last word. */
static bool name_ok(gale_str_t name) {
    if (name.len >= 8 && !has_odd(name, true)) return true;
    return name.len > 0 && all_in_class(name, GALE__TOKEN);
}

/* No control character but TAB (RFC 9110 5.5; WEB-10). */
static bool value_ok(gale_str_t value) {
    if (value.len >= 8 && !has_odd(value, false)) return true;
    return all_in_class(value, GALE__FIELD);
}

static bool no_length_ever(int status) {
    return status < 200 || status == 204 || status == 304;
}

/* Whether a header that means something to the core may come from the caller. */
static bool special_ok(const gale__response_t *r, const gale_header_t *h, int kind, bool *close,
                       bool *has_length) {
    int64_t ignored;
    switch (kind) {
    case NAME_CONNECTION:
        *close = true;
        return gale__eq_nocase(gale__trim(h->value), GALE__LIT("close"));
    case NAME_LENGTH:
        /* The length a body would have (RFC 9110 8.6): once, in digits, and not with 1xx or 204. */
        if (*has_length || !gale__parse_int64(h->value, &ignored)) return false;
        *has_length = true;
        return r->status == 304 ||
               (r->framing == GALE__BODY_NONE && r->status >= 200 && r->status != 204);
    case NAME_ENCODING:
        return false;
    case NAME_UPGRADE:
        return r->framing != GALE__BODY_UPGRADE; /* which has its own */
    default:
        return true;
    }
}

int64_t gale__response_check(const gale__response_t *r, bool *close) {
    bool upgrade = r->status == 101 && r->framing == GALE__BODY_UPGRADE;
    bool has_length = false;
    uint64_t size = FIXED + (uint64_t)r->stamp->len;
    *close = false;
    if ((r->status < 200 || r->status > 599) && !upgrade) return GALE_EHEADER;
    if (upgrade) size += r->upgrade.len;
    for (size_t i = 0; i < r->header_count; i++) {
        const gale_header_t *h = &r->headers[i];
        if (h->name.len > MAX_HEAD || h->value.len > MAX_HEAD) return GALE_EHEADER;
        size += h->name.len + h->value.len + 4;
        if (size > MAX_HEAD || !name_ok(h->name) || !value_ok(h->value)) return GALE_EHEADER;
        int kind = name_kind(h->name);
        if (kind != NAME_OTHER && !special_ok(r, h, kind, close, &has_length)) return GALE_EHEADER;
    }
    return (int64_t)size;
}

/* Copies a few bytes with two loads that may overlap: a call of memcpy costs more than most headers
 * are long. */
static char *put(char *out, const char *p, size_t len) {
    if (len > 32) {
        memcpy(out, p, len);
    } else if (len >= 16) {
        char a[16], b[16];
        memcpy(a, p, 16);
        memcpy(b, p + len - 16, 16);
        memcpy(out, a, 16);
        memcpy(out + len - 16, b, 16);
    } else if (len >= 8) {
        uint64_t a, b;
        memcpy(&a, p, 8);
        memcpy(&b, p + len - 8, 8);
        memcpy(out, &a, 8);
        memcpy(out + len - 8, &b, 8);
    } else if (len >= 4) {
        uint32_t a, b;
        memcpy(&a, p, 4);
        memcpy(&b, p + len - 4, 4);
        memcpy(out, &a, 4);
        memcpy(out + len - 4, &b, 4);
    } else {
        for (size_t i = 0; i < len; i++) out[i] = p[i];
    }
    return out + len;
}

/* A literal: its length is known, so the compiler makes stores of it. */
#define PUT(out, text) ((char *)memcpy((out), "" text, sizeof(text) - 1) + (sizeof(text) - 1))

/* Decimal digits, two at a time. */
static char *put_decimal(char *out, uint64_t value) {
    static const char pairs[] = "0001020304050607080910111213141516171819"
                                "2021222324252627282930313233343536373839"
                                "4041424344454647484950515253545556575859"
                                "6061626364656667686970717273747576777879"
                                "8081828384858687888990919293949596979899";
    char digits[20], *p = digits + sizeof digits;
    for (; value >= 100; value /= 100) memcpy(p -= 2, pairs + value % 100 * 2, 2);
    if (value >= 10)
        memcpy(p -= 2, pairs + value * 2, 2);
    else
        *--p = (char)('0' + value);
    return put(out, p, (size_t)(digits + sizeof digits - p));
}

/* Always HTTP/1.1: the version is the server's, not the request's (RFC 9110 6.2). */
static char *put_status_line(char *out, int status) {
    switch (status) {
#define XX(code, text)                                                                             \
    case code:                                                                                     \
        return PUT(out, "HTTP/1.1 " #code " " text "\r\n");
        STATUSES(XX)
#undef XX
    default:
        out = put_decimal(PUT(out, "HTTP/1.1 "), (uint64_t)status);
        return PUT(out, " Unknown\r\n");
    }
}

static char *put_framing(char *out, const gale__response_t *r) {
    if (r->framing == GALE__BODY_UPGRADE) {
        out = put(PUT(out, "Upgrade: "), r->upgrade.ptr, r->upgrade.len);
        return PUT(out, "\r\nConnection: Upgrade\r\n");
    }
    if (no_length_ever(r->status)) return out;
    if (r->framing == GALE__BODY_LENGTH) {
        out = PUT(out, "Content-Length: ");
        out = put_decimal(out, r->length);
        return PUT(out, "\r\n");
    }
    if (r->framing == GALE__BODY_CHUNKED) return PUT(out, "Transfer-Encoding: chunked\r\n");
    return out;
}

#define SEEN(kind) (1u << (kind))

/* Writes the caller's headers but Connection, and notes which of those the core knows are there. */
static char *put_headers(char *out, const gale__response_t *r, unsigned *seen) {
    for (size_t i = 0; i < r->header_count; i++) {
        const gale_header_t *h = &r->headers[i];
        int kind = name_kind(h->name);
        *seen |= SEEN(kind);
        if (kind == NAME_CONNECTION) continue;
        out = put(out, h->name.ptr, h->name.len);
        out = PUT(out, ": ");
        out = put(out, h->value.ptr, h->value.len);
        out = PUT(out, "\r\n");
    }
    return out;
}

static char *put_stamp(char *out, const gale__stamp_t *stamp, bool date, bool server) {
    uint32_t from = server ? 0 : stamp->server_len;
    uint32_t to = date ? stamp->len : stamp->server_len;
    return to > from ? put(out, stamp->text + from, to - from) : out;
}

/* H1-04: HTTP/1.1 is kept unless it says not (RFC 9112 9.3), HTTP/1.0 closed unless it says not. */
static char *put_connection(char *out, const gale__response_t *r, unsigned seen) {
    if (r->framing == GALE__BODY_UPGRADE) return out; /* it is written */
    if ((seen & SEEN(NAME_CONNECTION)) || (!r->keep_alive && r->minor > 0)) {
        out = PUT(out, "Connection: close\r\n");
    } else if (r->keep_alive && r->minor == 0) {
        out = PUT(out, "Connection: keep-alive\r\n");
    }
    /* An Upgrade, as with 426, is for the next hop alone (RFC 9110 7.8). */
    return seen & SEEN(NAME_UPGRADE) ? PUT(out, "Connection: Upgrade\r\n") : out;
}

size_t gale__response_write(const gale__response_t *r, char *out) {
    unsigned seen = 0;
    char *p = put_status_line(out, r->status);
    p = put_framing(p, r);
    p = put_headers(p, r, &seen);
    p = put_stamp(p, r->stamp, !(seen & SEEN(NAME_DATE)), !(seen & SEEN(NAME_SERVER)));
    p = put_connection(p, r, seen);
    p = PUT(p, "\r\n");
    return (size_t)(p - out);
}

void gale__stamp_update(gale__stamp_t *stamp, int64_t unix_seconds, bool with_server) {
    if (stamp->second == unix_seconds && stamp->len > 0 && (stamp->server_len > 0) == with_server)
        return;
    char *p = stamp->text;
    if (with_server) p = PUT(p, "Server: gale\r\n");
    stamp->server_len = (uint32_t)(p - stamp->text);
    p = PUT(p, "Date: ");
    gale__format_date(p, unix_seconds);
    p = PUT(p + GALE__DATE_LEN, "\r\n");
    stamp->len = (uint32_t)(p - stamp->text);
    stamp->second = unix_seconds;
}

size_t gale__chunk_line(char *out, uint64_t size) {
    size_t digits = size == 0 ? 1 : (size_t)(67 - __builtin_clzll(size)) / 4;
    for (size_t i = digits; i-- > 0; size >>= 4) out[i] = "0123456789abcdef"[size & 15];
    out[digits] = '\r';
    out[digits + 1] = '\n';
    return digits + 2;
}
