/* Content types by extension (STA-12). */
#include "mime.h"

#include "str.h"
#include "test.h"

TEST(mime, common_types) {
    CHECK_EQ_STR(gale__mime_type(GALE__LIT("index.html")), "text/html; charset=utf-8");
    CHECK_EQ_STR(gale__mime_type(GALE__LIT("a/b.c/style.css")), "text/css; charset=utf-8");
    CHECK_EQ_STR(gale__mime_type(GALE__LIT("app.min.js")), "text/javascript; charset=utf-8");
    CHECK_EQ_STR(gale__mime_type(GALE__LIT("m.mjs")), "text/javascript; charset=utf-8");
    CHECK_EQ_STR(gale__mime_type(GALE__LIT("robots.txt")), "text/plain");
    CHECK_EQ_STR(gale__mime_type(GALE__LIT("x.json")), "application/json");
    CHECK_EQ_STR(gale__mime_type(GALE__LIT("x.svg")), "image/svg+xml");
    CHECK_EQ_STR(gale__mime_type(GALE__LIT("x.woff2")), "font/woff2");
    CHECK_EQ_STR(gale__mime_type(GALE__LIT("x.wasm")), "application/wasm");
    CHECK_EQ_STR(gale__mime_type(GALE__LIT("site.webmanifest")), "application/manifest+json");
}

TEST(mime, case_and_ends_of_the_table) {
    CHECK_EQ_STR(gale__mime_type(GALE__LIT("LOGO.PnG")), "image/png");
    CHECK_EQ_STR(gale__mime_type(GALE__LIT("x.7z")), "application/x-7z-compressed");
    CHECK_EQ_STR(gale__mime_type(GALE__LIT("x.ZIP")), "application/zip");
}

TEST(mime, compressed) { /* STA-12 */
    CHECK_EQ_STR(gale__mime_type(GALE__LIT("a.tar.gz")), "application/gzip");
    CHECK_EQ_STR(gale__mime_type(GALE__LIT("a.js.gz")), "application/gzip");
    CHECK_EQ_STR(gale__mime_type(GALE__LIT("a.tgz")), "application/gzip");
    CHECK_EQ_STR(gale__mime_type(GALE__LIT("a.txt.bz2")), "application/octet-stream");
}

TEST(mime, unknown) {
    static const char *const names[] = {
        "",     "a",        "Makefile",       "a.",      ".",
        ".gz",  "dir/.css", "dir.html/a",     "a.htmlx", "a.nosuchextension",
        "html", "a.html/",  "a.webmanifestx", "a. css",  "/"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        CHECK_EQ_STR(gale__mime_type(gale_cstr(names[i])), "application/octet-stream");
    CHECK_EQ_STR(gale__mime_type(gale_str("a.css\0", 6)), "application/octet-stream");
    CHECK_EQ_STR(gale__mime_type(gale_str(NULL, 0)), "application/octet-stream");
}

/* Every extension of up to four letters, looked up twice over: the bisection finds what a sorted
 * table has. */
TEST(mime, the_table_is_sorted) {
    static const char known[] =
        "7z aac apng atom avif bin bmp cjs css csv doc docx eot epub flac geojson gif glb gltf gz "
        "heic heif htm html "
        "ico ics jar jpeg jpg js json jsonld jxl m3u8 m4a m4v map md mid midi mjs mov mp3 mp4 mpd "
        "mpeg mpg odp ods odt "
        "oga ogg ogv opus otf pdf png ppt pptx ps rss rtf svg svgz tar tgz tif tiff toml ts tsv "
        "ttf txt usdz vtt wasm "
        "wav weba webm webmanifest webp woff woff2 xhtml xls xlsx xml yaml yml zip ";
    size_t found = 0;
    for (const char *p = known, *end; (end = strchr(p, ' ')) != NULL; p = end + 1) {
        char name[32] = "f.";
        memcpy(name + 2, p, (size_t)(end - p));
        gale_str_t type = gale__mime_type(gale_cstr(name));
        bool bin = strcmp(name, "f.bin") == 0;
        CHECK_MSG(bin || !gale__eq(type, GALE__LIT("application/octet-stream")), "%s", name);
        CHECK(gale__is_field_value(type));
        found++;
    }
    CHECK_EQ_UINT(found, 90);
}
