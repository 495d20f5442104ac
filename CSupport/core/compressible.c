#include "compressible.h"

#include "str.h"

/* Beside text/ and the suffixes. */
static const gale_str_t types[] = {
    {"application/dart", 16},
    {"application/ecmascript", 22},
    {"application/graphql", 19},
    {"application/javascript", 22},
    {"application/json", 16},
    {"application/json-seq", 20},
    {"application/jsonl", 17},
    {"application/postscript", 22},
    {"application/rtf", 15},
    {"application/sql", 15},
    {"application/toml", 16},
    {"application/vnd.ms-fontobject", 29},
    {"application/wasm", 16},
    {"application/x-javascript", 24},
    {"application/x-ndjson", 20},
    {"application/x-sh", 16},
    {"application/x-web-app-manifest", 30},
    {"application/x-www-form-urlencoded", 33},
    {"application/x-yaml", 18},
    {"application/xml", 15},
    {"application/xml-dtd", 19},
    {"application/yaml", 16},
    {"font/otf", 8},
    {"font/ttf", 8},
    {"image/bmp", 9},
    {"image/vnd.microsoft.icon", 24},
    {"image/x-icon", 12},
    {"model/gltf-binary", 17},
    {"model/obj", 9},
};
/* Structured syntaxes (RFC 6838 4.2.8). */
static const gale_str_t suffixes[] = {{"+json", 5}, {"+json-seq", 9}, {"+text", 5},
                                      {"+wasm", 5}, {"+xml", 4},      {"+yaml", 5}};

static bool ends_with(gale_str_t s, gale_str_t end) {
    return s.len > end.len && gale__eq_nocase(gale_str(s.ptr + s.len - end.len, end.len), end);
}

bool gale__compressible(gale_str_t content_type) {
    gale_str_t type = content_type;
    const char *semicolon = type.len > 0 ? memchr(type.ptr, ';', type.len) : NULL;
    if (semicolon != NULL) type.len = (size_t)(semicolon - type.ptr);
    type = gale__trim(type);
    if (type.len > 5 && gale__eq_nocase(gale_str(type.ptr, 5), GALE__LIT("text/"))) return true;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (gale__eq_nocase(type, types[i])) return true;
    }
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        if (ends_with(type, suffixes[i])) return true;
    }
    return false;
}
