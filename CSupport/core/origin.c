#include "origin.h"

#include "str.h"

gale_str_t gale__without_port(gale_str_t host, gale_str_t port) {
    if (host.len > port.len && gale__eq(gale_str(host.ptr + host.len - port.len, port.len), port)) {
        return gale_str(host.ptr, host.len - port.len);
    }
    return host;
}

/* Cuts scheme and "://" off. */
static bool split(gale_str_t origin, gale_str_t *scheme, gale_str_t *place) {
    size_t i = 0;
    while (i < origin.len && origin.ptr[i] != ':') i++;
    if (i == 0 || origin.len - i <= 3 || memcmp(origin.ptr + i, "://", 3) != 0) return false;
    *scheme = gale_str(origin.ptr, i);
    *place = gale_str(origin.ptr + i + 3, origin.len - i - 3);
    if (gale__eq_nocase(*scheme, GALE__LIT("http"))) {
        *place = gale__without_port(*place, GALE__LIT(":80"));
    } else if (gale__eq_nocase(*scheme, GALE__LIT("https"))) {
        *place = gale__without_port(*place, GALE__LIT(":443"));
    }
    return true;
}

/* Labels of a name, with nothing that could make an address of it mean another host. */
static bool is_name(gale_str_t s) {
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '_' || c == '.';
        if (!good) return false;
    }
    return s.len > 0;
}

bool gale__origin_matches(gale_str_t origin, gale_str_t pattern) {
    gale_str_t scheme, place, want_scheme, want;
    if (gale__eq(pattern, GALE__LIT("*"))) return true;
    if (!split(origin, &scheme, &place) || !split(pattern, &want_scheme, &want)) return false;
    if (!gale__eq_nocase(scheme, want_scheme)) return false;
    if (want.len < 3 || want.ptr[0] != '*' || want.ptr[1] != '.') {
        return gale__eq_nocase(place, want);
    }
    want = gale_str(want.ptr + 1, want.len - 1);
    if (place.len <= want.len) return false;
    size_t rest = place.len - want.len;
    return gale__eq_nocase(gale_str(place.ptr + rest, want.len), want) &&
           is_name(gale_str(place.ptr, rest));
}
