#include "listen_url.h"

#include <string.h>

#include "str.h"

/* -------------------------------------------------------------------------------------- options */

static bool parse_mode(gale_str_t s, uint16_t *mode) {
    unsigned value = 0;
    if (s.len < 3 || s.len > 4 || (s.len == 4 && s.ptr[0] != '0')) return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '7') return false;
        value = value << 3 | (unsigned)(s.ptr[i] - '0');
    }
    *mode = (uint16_t)value;
    return true;
}

static bool parse_choice(gale_str_t s, const char *yes, const char *no, bool *out) {
    *out = gale__eq(s, gale_cstr(yes));
    return *out || gale__eq(s, gale_cstr(no));
}

static bool parse_option(gale__listen_options_t *o, uint8_t kind, gale_str_t name,
                         gale_str_t value) {
    int64_t number;
    if (gale__eq(name, GALE__LIT("proxy"))) {
        return parse_choice(value, "required", "off", &o->proxy);
    }
    if (gale__eq(name, GALE__LIT("scheme"))) {
        return parse_choice(value, "https", "http", &o->secure);
    }
    if (gale__eq(name, GALE__LIT("reuseport"))) {
        return kind == GALE__LISTEN_TCP && parse_choice(value, "1", "0", &o->reuse_port);
    }
    if (gale__eq(name, GALE__LIT("mode"))) {
        return kind == GALE__LISTEN_UNIX && parse_mode(value, &o->mode);
    }
    if (!gale__eq(name, GALE__LIT("backlog")) || !gale__parse_int64(value, &number)) return false;
    o->backlog = (uint32_t)number;
    return number >= 1 && number <= 65535;
}

bool gale__listen_options_parse(gale__listen_options_t *out, uint8_t kind, gale_str_t text) {
    *out = (gale__listen_options_t){.mode = 0600};
    while (text.len > 0) {
        const char *end = memchr(text.ptr, '&', text.len);
        size_t len = end == NULL ? text.len : (size_t)(end - text.ptr);
        const char *equals = memchr(text.ptr, '=', len);
        if (equals == NULL) return false;
        gale_str_t name = gale_str(text.ptr, (size_t)(equals - text.ptr));
        if (!parse_option(out, kind, name, gale_str(equals + 1, len - name.len - 1))) return false;
        if (end != NULL && len + 1 == text.len) return false; /* nothing behind the '&' */
        text = end == NULL ? gale_str(NULL, 0) : gale_str(end + 1, text.len - len - 1);
    }
    return true;
}

/* ---------------------------------------------------------------------------------------- places */

static bool starts_with(gale_str_t s, gale_str_t prefix) {
    return s.len >= prefix.len && memcmp(s.ptr, prefix.ptr, prefix.len) == 0;
}

static gale_str_t without(gale_str_t s, size_t first) {
    return gale_str(s.ptr + first, s.len - first);
}

/* HOST:PORT or [HOST]:PORT with digits for the port and nothing behind it but one slash. */
static bool parse_host(gale__listen_url_t *out, gale_str_t s) {
    int64_t port;
    if (s.len > 0 && s.ptr[s.len - 1] == '/') s.len--;
    bool brackets = s.len > 0 && s.ptr[0] == '[';
    if (brackets) s = without(s, 1);
    const char *end = s.len == 0 ? NULL : memchr(s.ptr, brackets ? ']' : ':', s.len);
    if (end == NULL || end == s.ptr) return false;
    out->where = gale_str(s.ptr, (size_t)(end - s.ptr));
    if (memchr(out->where.ptr, ':', out->where.len) == NULL && brackets) return false;
    s = without(s, out->where.len + brackets);
    if (s.len < 2 || s.len > 6 || s.ptr[0] != ':') return false;
    if (!gale__parse_int64(without(s, 1), &port) || port > 65535) return false;
    out->port = (uint16_t)port;
    return true;
}

/* Not empty, and no NUL, behind which the system would not look. */
static bool parse_path(gale__listen_url_t *out, gale_str_t s) {
    out->where = s;
    return s.len > 0 && memchr(s.ptr, '\0', s.len) == NULL && !gale__eq(s, GALE__LIT("@"));
}

bool gale__listen_url_parse(gale__listen_url_t *out, gale_str_t url) {
    memset(out, 0, sizeof *out);
    const char *mark = url.len == 0 ? NULL : memchr(url.ptr, '?', url.len);
    gale_str_t options = {NULL, 0}, place = url;
    if (mark != NULL) {
        place.len = (size_t)(mark - url.ptr);
        options = without(url, place.len + 1);
    }
    bool good = false;
    if (starts_with(place, GALE__LIT("http://"))) {
        good = parse_host(out, without(place, 7));
    } else if (starts_with(place, GALE__LIT("unix:"))) {
        out->kind = GALE__LISTEN_UNIX;
        good = parse_path(out, without(place, 5));
    } else if (starts_with(place, GALE__LIT("systemd:"))) {
        out->kind = GALE__LISTEN_HANDED;
        out->where = without(place, 8);
        good = true;
    }
    return good && gale__listen_options_parse(&out->options, out->kind, options);
}
