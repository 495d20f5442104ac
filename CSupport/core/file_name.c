/*
 * See file_name.h. What is made safe here: the path in front (either slash: old browsers sent
 * "C:\dir\a.txt"), names that mean something ("..", ".htaccess", "CON"), characters that some file
 * system or shell takes for something else, and those that make a name look like another one: text
 * that runs backwards shows "exe.gpj" as "jpg.exe".
 */
#include "file_name.h"

#include "str.h"
#include "utf8.h"

/* Length of the valid UTF-8 character at p; 0 when it is none. */
static size_t character(const char *p, size_t left) {
    for (size_t n = 1; n <= 4 && n <= left; n++) {
        if (gale__utf8_valid(p, n)) return n;
    }
    return 0;
}

static bool is_at(const char *p, size_t n, const char *three, unsigned low, unsigned high) {
    return n == 3 && p[0] == three[0] && p[1] == three[1] && (uint8_t)p[2] >= low &&
           (uint8_t)p[2] <= high;
}

/* Characters that nobody sees but that change what is seen: U+0080-9F, U+200B-200F, U+2028-202E,
 * U+2060-206F, U+FEFF. */
static bool is_hidden(const char *p, size_t n) {
    if (n == 2) return (uint8_t)p[0] == 0xc2 && (uint8_t)p[1] < 0xa0;
    return is_at(p, n, "\xe2\x80", 0x8b, 0x8f) || is_at(p, n, "\xe2\x80", 0xa8, 0xae) ||
           is_at(p, n, "\xe2\x81", 0xa0, 0xaf) || is_at(p, n, "\xef\xbb", 0xbf, 0xbf);
}

static bool is_device(const char *name, size_t len) {
    static const char *const devices[] = {"CON", "PRN", "AUX", "NUL", "COM", "LPT"};
    size_t stem = 0;
    while (stem < len && name[stem] != '.') stem++;
    while (stem > 0 && name[stem - 1] == ' ') stem--;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        size_t numbered = i >= 4; /* COM1 */
        if (stem != 3 + numbered || !gale__eq_nocase(gale_str(name, 3), gale_cstr(devices[i])))
            continue;
        if (!numbered || (name[3] >= '0' && name[3] <= '9')) return true;
    }
    return false;
}

static gale_str_t last_component(gale_str_t name) {
    for (size_t i = name.len; i > 0; i--) {
        char c = name.ptr[i - 1];
        if (c == '/' || c == '\\') return gale_str(name.ptr + i, name.len - i);
    }
    return name;
}

/* The extension with its dot, if it is short enough to be one. */
static gale_str_t extension(gale_str_t name) {
    for (size_t i = name.len; i > 1 && name.len - i < 16; i--) {
        if (name.ptr[i - 1] == '.') return gale_str(name.ptr + i - 1, name.len - i + 1);
    }
    return gale_str(NULL, 0);
}

static size_t clean(gale_str_t in, char *out, size_t room) {
    size_t len = 0;
    for (size_t i = 0, n; i < in.len; i += n == 0 ? 1 : n) {
        const char *p = in.ptr + i;
        n = character(p, in.len - i);
        if (n > 1 && is_hidden(p, n)) continue;
        bool bad = n == 0 || (uint8_t)*p < 0x20 || *p == 0x7f || strchr("<>:\"|?*", *p) != NULL;
        if (len + (bad ? 1 : n) > room) break;
        if (len == 0 && (*p == '.' || *p == ' ')) continue; /* ".", "..", hidden files */
        memcpy(out + len, bad ? "_" : p, bad ? 1 : n);
        len += bad ? 1 : n;
    }
    return len;
}

static size_t trim_end(const char *name, size_t len) { /* Windows drops these */
    while (len > 0 && (name[len - 1] == '.' || name[len - 1] == ' ')) len--;
    return len;
}

/* A name too long is cut before its extension. */
static size_t clean_long(gale_str_t in, char *out, size_t room) {
    gale_str_t dotted = extension(in);
    if (dotted.len == 0) return trim_end(out, clean(in, out, room));
    in.len -= dotted.len;
    size_t len = trim_end(out, clean(in, out, room - dotted.len));
    if (len == 0) return 0;
    out[len++] = '.';
    len += clean(gale_str(dotted.ptr + 1, dotted.len - 1), out + len, dotted.len - 1);
    return trim_end(out, len);
}

size_t gale__safe_file_name(gale_str_t name, char out[GALE__FILE_NAME_MAX]) {
    enum { ROOM = GALE__FILE_NAME_MAX - 1 }; /* of which one may go to the '_' */
    gale_str_t in = last_component(name);
    size_t len = in.len > ROOM ? clean_long(in, out, ROOM) : trim_end(out, clean(in, out, ROOM));
    if (len == 0) {
        memcpy(out, "file", 4);
        return 4;
    }
    if (!is_device(out, len)) return len;
    memmove(out + 1, out, len);
    out[0] = '_';
    return len + 1;
}
