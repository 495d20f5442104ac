#include "parser.h"

#include <picohttpparser.h>

bool parse(const char *bytes, size_t size) {
    const char *method, *path;
    size_t method_size, path_size, count = 100;
    int minor;
    struct phr_header fields[100];
    int used = phr_parse_request(bytes, size, &method, &method_size, &path, &path_size, &minor,
                                 fields, &count, 0);
    return used == (int)size && count == 9;
}
