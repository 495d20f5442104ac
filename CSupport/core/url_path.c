/*
 * Paths of static files (STA-10, STA-13): decoded once, checked after decoding, refused rather than
 * repaired.
 *
 * ".." is refused, not resolved: browsers resolve it before they send (RFC 3986 5.2.4), so whoever
 * sends it is trying something. An encoded slash is refused as well: to whatever stood before this
 * server and guarded folders by their path it was part of a name, to the file system it would be a
 * separator. Dot-files are where tools leave secrets
 * (.git, .env). The file system's own guard against symlinks is io/files.c's.
 */
#include "url_path.h"

#include "str.h"
#include "utf8.h"

/* Takes one character, decoded, from s at *i. Gives it as 0-255, or minus a status. */
static int take(gale_str_t s, size_t *i) {
    int c = (uint8_t)s.ptr[*i];
    bool encoded = c == '%';
    if (encoded && (c = gale__percent_byte(s, *i)) < 0) return -400;
    *i += encoded ? 3 : 1;
    if (encoded && c == '/') return -403;
    if (c == 0) return -400;
    return c == '\\' ? -403 : c;
}

/* "." or "..", at the end of the first len bytes. */
static bool ends_in_dots(const char *out, size_t len) {
    size_t dots = 0;
    while (dots < len && out[len - 1 - dots] == '.') dots++;
    return dots > 0 && dots <= 2 && (dots == len || out[len - 1 - dots] == '/');
}

int gale__path_normalize(gale_str_t encoded, char *out, size_t size, bool dotfiles) {
    size_t len = 0;
    if (size == 0 || size > INT32_MAX) return -414;
    if (encoded.len > 0 && encoded.ptr[0] == '/') return -403;
    for (size_t i = 0; i < encoded.len;) {
        int c = take(encoded, &i);
        if (c < 0) return c;
        bool first = len == 0 || out[len - 1] == '/'; /* of a segment */
        if (first && c == '.' && !dotfiles) return -403;
        if (first && c == '/') continue;
        if (c == '/' && ends_in_dots(out, len)) return -403;
        if (len + 1 >= size) return -414;
        out[len++] = (char)c;
    }
    if (ends_in_dots(out, len)) return -403;
    out[len] = '\0';
    return gale__utf8_valid(out, len) ? (int)len : -400;
}
