/* Texts and names of errors; version. */
#include <uv.h>

#include "rig_alloc.h"
#include "test.h"

TEST(error, own_codes) {
    CHECK_EQ_INT(GALE_OK, 0);
    CHECK_EQ_INT(GALE_EGONE, -5001);
    CHECK_EQ_INT(GALE_ELENGTH, -5014);
    CHECK_EQ_STRS(gale_cstr(gale_err_name(GALE_EGONE)), gale_cstr("GALE_EGONE"));
    CHECK_EQ_STRS(gale_cstr(gale_strerror(GALE_EGONE)),
                  gale_cstr("the client has left, or the reference is stale"));
#define XX(name, value, text)                                                                      \
    CHECK_EQ_STRS(gale_cstr(gale_err_name(value)), gale_cstr(#name));                              \
    CHECK_EQ_STRS(gale_cstr(gale_strerror(name)), gale_cstr(text));
    GALE_ERRNO_MAP(XX)
#undef XX
}

TEST(error, codes_of_libuv_pass_through) {
    CHECK_EQ_STRS(gale_cstr(gale_err_name(UV_EADDRINUSE)), gale_cstr("EADDRINUSE"));
    CHECK_EQ_STRS(gale_cstr(gale_strerror(UV_EADDRINUSE)), gale_cstr("address already in use"));
    CHECK_EQ_STRS(gale_cstr(gale_err_name(UV_EAI_NONAME)), gale_cstr("EAI_NONAME"));
}

TEST(error, never_null_and_never_allocated) {
    rig_alloc_begin(0, false);
    unsigned long before = rig_malloc_calls();
    static const int odd[] = {1,     -1,    -4999,           -5000,     -5015,
                              -6000, 12345, -2147483647 - 1, 2147483647};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        CHECK(strlen(gale_strerror(odd[i])) > 0 && strlen(gale_err_name(odd[i])) > 0);
    }
    CHECK_EQ_UINT(rig_malloc_calls(), before);
    CHECK_EQ_UINT(rig_alloc_calls(), 0);
    rig_alloc_end();
    CHECK(strlen(gale_strerror(GALE_OK)) > 0 && strlen(gale_err_name(GALE_OK)) > 0);
}

TEST(error, version) {
    CHECK_EQ_UINT(gale_version(),
                  GALE_VERSION_MAJOR << 16 | GALE_VERSION_MINOR << 8 | GALE_VERSION_PATCH);
}
