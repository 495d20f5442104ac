/* Types that are worth compressing, and those that are compressed by themselves. */
#include "compressible.h"

#include "test.h"

TEST(compressible, types) { /* GZ-01 */
    static const struct {
        const char *type;
        bool want;
    } rows[] = {
        /* Tornado's list. */
        {"text/plain", true},
        {"text/html; charset=UTF-8", true},
        {"application/javascript", true},
        {"application/x-javascript", true},
        {"application/xml", true},
        {"application/atom+xml", true},
        {"application/json", true},
        {"application/xhtml+xml", true},
        {"image/svg+xml", true},
        /* And more. */
        {"TEXT/CSS", true},
        {" text/css ;q", true},
        {"Application/JSON;charset=utf-8", true},
        {"application/vnd.api+json", true},
        {"application/problem+json", true},
        {"application/geo+json-seq", true},
        {"application/wasm", true},
        {"text/event-stream", true},
        {"font/ttf", true},
        {"image/bmp", true},
        {"application/x-yaml", true},
        {"application/openapi+yaml", true},
        {"", false},
        {"text", false},
        {"text/", false},
        {"+json", false},
        {"texts/plain", false},
        {"image/png", false},
        {"image/jpeg", false},
        {"font/woff2", false},
        {"video/mp4", false},
        {"application/zip", false},
        {"application/gzip", false},
        {"application/octet-stream", false},
        {"application/json2", false},
        {"application/jso", false},
        {"multipart/form-data; boundary=text/plain", false},
        {"image/png; name=text/html", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_MSG(gale__compressible(gale_cstr(rows[i].type)) == rows[i].want, "%s", rows[i].type);
    }
    CHECK(!gale__compressible(gale_str(NULL, 0)));
}
