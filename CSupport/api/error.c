/* Versions, error codes and their texts. */
#include <uv.h>

#include "gale.h"

unsigned gale_version(void) {
    return GALE_VERSION_MAJOR << 16 | GALE_VERSION_MINOR << 8 | GALE_VERSION_PATCH;
}

const char *gale_strerror(int err) {
    switch (err) {
#define XX(name, value, text)                                                                      \
    case name:                                                                                     \
        return text;
        GALE_ERRNO_MAP(XX)
#undef XX
    case GALE_OK:
        return "success";
    }
    /* uv_strerror allocates for codes it does not know; this list never does. */
    switch (err) {
#define XX(name, text)                                                                             \
    case UV_##name:                                                                                \
        return text;
        UV_ERRNO_MAP(XX)
#undef XX
    }
    return "unknown error";
}

const char *gale_err_name(int err) {
    switch (err) {
#define XX(name, value, text)                                                                      \
    case name:                                                                                     \
        return #name;
        GALE_ERRNO_MAP(XX)
#undef XX
    case GALE_OK:
        return "GALE_OK";
    }
    switch (err) {
#define XX(name, text)                                                                             \
    case UV_##name:                                                                                \
        return #name;
        UV_ERRNO_MAP(XX)
#undef XX
    }
    return "UNKNOWN";
}
