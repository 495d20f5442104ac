#include "ws_url.h"

#include <string.h>

#include "host.h"
#include "str.h"

static bool starts_with(gale_str_t s, gale_str_t prefix) {
    return s.len >= prefix.len && gale__eq_nocase(gale_str(s.ptr, prefix.len), prefix);
}

static gale_str_t without(gale_str_t s, size_t first) {
    return gale_str(s.ptr + first, s.len - first);
}

/* Bytes in front of the first of these, or all. */
static size_t until(gale_str_t s, const char *ends) {
    size_t i = 0;
    while (i < s.len && (s.ptr[i] == '\0' || strchr(ends, s.ptr[i]) == NULL)) i++;
    return i;
}

/* ------------------------------------------------------------------------------------- parsing */

static bool parse_target(gale__ws_url_t *out, gale_str_t target) {
    out->target = target;
    for (size_t i = 0; i < target.len; i++) {
        if (!gale__is((uint8_t)target.ptr[i], GALE__TARGET) || target.ptr[i] == '#') return false;
    }
    return true;
}

/* HOST or [HOST], perhaps with a port. */
static bool parse_authority(gale__ws_url_t *out, gale_str_t s) {
    if (!gale__is_authority(s, false) || memchr(s.ptr, '%', s.len) != NULL) return false;
    bool brackets = s.ptr[0] == '[';
    const char *end = memchr(s.ptr, brackets ? ']' : ':', s.len);
    size_t len = end == NULL ? s.len : (size_t)(end - s.ptr);
    out->host = brackets ? gale_str(s.ptr + 1, len - 1) : gale_str(s.ptr, len);
    gale_str_t port = without(s, len + brackets);
    int64_t number = out->secure ? 443 : 80;
    if (port.len > 1 && !gale__parse_int64(without(port, 1), &number)) return false;
    if (port.len == 1) s.len--; /* a colon without a port (RFC 3986 3.2.3) */
    out->port = (uint16_t)number;
    out->authority = s;
    return number > 0;
}

static bool parse_unix(gale__ws_url_t *out, gale_str_t s) {
    size_t len = until(s, ":");
    out->is_unix = true;
    out->host = gale_str(s.ptr, len);
    out->authority = GALE__LIT("localhost");
    if (len == 0 || gale__eq(out->host, GALE__LIT("@"))) return false;
    if (memchr(s.ptr, '\0', len) != NULL) return false; /* the system would not look behind it */
    if (len == s.len) return true;
    gale_str_t target = without(s, len + 1);
    return target.len > 0 && target.ptr[0] == '/' && parse_target(out, target);
}

bool gale__ws_url_parse(gale__ws_url_t *out, gale_str_t url) {
    memset(out, 0, sizeof *out);
    if (url.len == 0 || url.len > GALE__WS_URL_MAX) return false;
    if (starts_with(url, GALE__LIT("ws+unix:"))) return parse_unix(out, without(url, 8));
    out->secure = starts_with(url, GALE__LIT("wss://"));
    if (!out->secure && !starts_with(url, GALE__LIT("ws://"))) return false;
    gale_str_t rest = without(url, out->secure ? 6 : 5);
    size_t len = until(rest, "/?#");
    return len > 0 && parse_authority(out, gale_str(rest.ptr, len)) &&
           parse_target(out, without(rest, len));
}

bool gale__ws_url_same_server(const gale__ws_url_t *a, const gale__ws_url_t *b) {
    bool same_kind = a->secure == b->secure && a->is_unix == b->is_unix && a->port == b->port;
    return same_kind &&
           (a->is_unix ? gale__eq(a->host, b->host) : gale__eq_nocase(a->host, b->host));
}

/* ----------------------------------------------------------------------------------- following */

typedef struct {
    char *out;
    size_t len;
    bool full;
} writer_t;

static void add(writer_t *w, gale_str_t text) {
    if (text.len > GALE__WS_URL_MAX - w->len) {
        w->full = true;
        return;
    }
    if (text.len > 0) memcpy(w->out + w->len, text.ptr, text.len);
    w->len += text.len;
}

/* Bytes of a scheme and its colon at the front; 0: there is none. */
static size_t scheme_len(gale_str_t s) {
    size_t i = until(s, ":/?#");
    return i > 0 && i < s.len && s.ptr[i] == ':' ? i + 1 : 0;
}

/* With a scheme of its own. */
static void add_absolute(writer_t *w, gale_str_t location) {
    bool http = starts_with(location, GALE__LIT("http:"));
    bool https = starts_with(location, GALE__LIT("https:"));
    if (!http && !https) {
        add(w, location);
        return;
    }
    add(w, https ? GALE__LIT("wss:") : GALE__LIT("ws:"));
    add(w, without(location, https ? 6 : 5));
}

/* What of a target a reference goes behind: all but the query, or up to the last slash. */
static gale_str_t base_of(gale_str_t target, bool query) {
    size_t len = until(target, "?");
    while (!query && len > 0 && target.ptr[len - 1] != '/') len--;
    return gale_str(target.ptr, len);
}

/* RFC 3986 5.2.4, in place, of a path that begins with a slash; its length then. */
static size_t remove_dots(char *path, size_t len) {
    size_t out = 0;
    for (size_t i = 0, end; i < len; i = end) {
        for (end = i + 1; end < len && path[end] != '/';) end++;
        size_t n = end - i - 1;
        bool one = n == 1 && path[i + 1] == '.';
        bool two = n == 2 && path[i + 1] == '.' && path[i + 2] == '.';
        if (!one && !two) {
            memmove(path + out, path + i, end - i);
            out += end - i;
            continue;
        }
        while (two && out > 0 && path[--out] != '/') {
        }
        if (end == len) path[out++] = '/';
    }
    return out;
}

/* The URL that was put together; 0 when it is none. */
static size_t finish(writer_t *w) {
    gale__ws_url_t url;
    if (w->full || !gale__ws_url_parse(&url, gale_str(w->out, w->len))) return 0;
    if (url.target.len == 0 || url.target.ptr[0] != '/') return w->len;
    char *path = w->out + (url.target.ptr - w->out);
    size_t len = until(url.target, "?"), query = url.target.len - len,
           kept = remove_dots(path, len);
    memmove(path + kept, path + len, query);
    return (size_t)(path - w->out) + kept + query;
}

size_t gale__ws_url_follow(char out[GALE__WS_URL_MAX], gale_str_t from, gale_str_t location) {
    gale__ws_url_t url;
    writer_t w = {.out = out};
    location.len = until(location, "#");
    if (!gale__ws_url_parse(&url, from)) return 0;
    bool path = location.len > 0 && location.ptr[0] == '/';
    bool host = path && location.len > 1 && location.ptr[1] == '/';
    bool absolute = host || scheme_len(location) > 0;
    if (absolute && url.is_unix) return 0;
    if (absolute) {
        if (host) add(&w, url.secure ? GALE__LIT("wss:") : GALE__LIT("ws:"));
        add_absolute(&w, location);
        return finish(&w);
    }
    /* All in front of the target, and where that began. */
    add(&w, gale_str(from.ptr, from.len - url.target.len));
    if (url.is_unix && url.target.len == 0) add(&w, GALE__LIT(":"));
    gale_str_t base = base_of(url.target, location.len == 0 || location.ptr[0] == '?');
    if (!path && base.len == 0) base = GALE__LIT("/");
    if (!path) add(&w, base);
    add(&w, location);
    return finish(&w);
}
