#include "parser.h"

#include "http1_head.h"

bool parse(const char *bytes, size_t size) {
    static const gale__head_limits_t limits = {.max_bytes = 16384, .max_headers = 100};
    gale_header_t table[100];
    gale__head_t head;
    gale__head_init(&head, table);
    return gale__head_parse(&head, &limits, bytes, size) == (int)size && head.header_count == 9;
}
