// With KEEP_FIELDS it does as much as the others: at the end there is a table of names and values.
#include "parser.h"

#include <llhttp.h>

#ifdef KEEP_FIELDS
typedef struct {
    const char *ptr;
    size_t len;
} span_t;

static span_t url, fields[2][100];
static size_t count;

static int on_begin(llhttp_t *parser) {
    (void)parser;
    count = 0;
    return 0;
}

static int on_url(llhttp_t *parser, const char *at, size_t length) {
    (void)parser;
    url = (span_t){at, length};
    return 0;
}

static int on_field(llhttp_t *parser, const char *at, size_t length) {
    (void)parser;
    if (count == 90) {
        return -1;
    }
    fields[0][count] = (span_t){at, length};
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t length) {
    (void)parser;
    fields[1][count++] = (span_t){at, length};
    return 0;
}
#endif

bool parse(const char *bytes, size_t size) {
    static llhttp_t parser;
    static llhttp_settings_t settings;
    static bool ready;
    if (!ready) {
        llhttp_settings_init(&settings);
#ifdef KEEP_FIELDS
        settings.on_message_begin = on_begin;
        settings.on_url = on_url;
        settings.on_header_field = on_field;
        settings.on_header_value = on_value;
#endif
        llhttp_init(&parser, HTTP_REQUEST, &settings);
        ready = true;
    }
    // After a keep-alive request it is ready for the next; there is nothing to reset.
    if (llhttp_execute(&parser, bytes, size) != HPE_OK) {
        return false;
    }
#ifdef KEEP_FIELDS
    return count == 9;
#else
    return true;
#endif
}
