/* The structs that grow: defaults, other sizes than the library's, values that make no sense. */
#include <stddef.h>
#include <uv.h>

#include "rig.h"

TEST(config, defaults_are_those_of_the_header_H1_01_H1_02) {
    gale_config_t c = gale_config();
    CHECK_EQ_UINT(c.struct_size, sizeof c);
    CHECK_EQ_UINT(c.backlog, 1024);
    CHECK_EQ_UINT(c.max_header_bytes, 16384);
    CHECK_EQ_UINT(c.max_headers, 100);
    CHECK_EQ_UINT(c.max_body_bytes, 1 << 20);
    CHECK_EQ_UINT(c.header_timeout_ms, 10000);
    CHECK_EQ_UINT(c.body_timeout_ms, 30000);
    CHECK_EQ_UINT(c.idle_timeout_ms, 60000);
    CHECK_EQ_UINT(c.write_timeout_ms, 30000);
    CHECK_EQ_UINT(c.shutdown_grace_ms, 10000);
    CHECK_EQ_UINT(c.write_high_water, 65536);
    CHECK_EQ_UINT(c.write_low_water, 16384);
    CHECK_EQ_UINT(c.write_limit, 64 << 20);
    CHECK_EQ_UINT(c.ws_max_message_bytes, 10 << 20);
    CHECK_EQ_UINT(c.ws_close_timeout_ms, 5000);
    CHECK_EQ_UINT(c.max_connections | c.max_connections_per_address, 0);
    CHECK_EQ_UINT(c.max_requests_per_connection, UINT32_MAX);
    CHECK_EQ_UINT(c.max_connection_age_ms, 0);
    CHECK_EQ_UINT(c.min_receive_rate, 240);
    CHECK_EQ_UINT(c.min_send_rate, 240);
    CHECK_EQ_UINT(c.rate_grace_ms, 30000);
    CHECK_EQ_UINT(c.compress | c.decompress, 0);
    CHECK_EQ_UINT(c.compress_level, 6);
    CHECK_EQ_UINT(c.compress_min_bytes, 1024);
    CHECK_EQ_UINT(c.decompress_ratio, 100);
    CHECK_EQ_UINT(c.coding_memory, 64 << 20);
    CHECK_EQ_UINT(c.allow_half_close | c.no_server_header, 0);
    CHECK_EQ_UINT(c.max_spool_bytes, (uint64_t)10 << 30);
    CHECK_EQ_UINT(c.ws_deflate, 0); /* WS-14 */
    CHECK_EQ_UINT(c.ws_deflate_level, 6);
    CHECK_EQ_UINT(c.ws_deflate_min_bytes, 64);
    CHECK_EQ_UINT(c.ws_deflate_memory, 64 << 20);
    CHECK_EQ_UINT(c.ws_ping_interval_ms | c.ws_idle_timeout_ms, 0); /* WS-16 */
}

static int try_config(const void *config) {
    gale_server_t *s = NULL;
    int err = gale_server_new(&s, config);
    CHECK((err == 0) == (s != NULL));
    gale_server_free(s);
    return err;
}

/* A struct of a library that knows one field more. */
typedef struct {
    gale_config_t known;
    uint64_t unknown;
} longer_config_t;

TEST(config, sizes) {
    longer_config_t longer = {.known = gale_config()};
    longer.known.struct_size = sizeof longer;
    CHECK_EQ_INT(try_config(&longer), 0);
    longer.unknown = 1;
    CHECK_EQ_INT(try_config(&longer), GALE_EVERSION);
    gale_config_t c = gale_config();
    CHECK_EQ_INT(try_config(&c), 0);
    c.struct_size = offsetof(gale_config_t, no_server_header);
    CHECK_EQ_INT(try_config(&c), GALE_EVERSION);
    c.struct_size = 0;
    CHECK_EQ_INT(try_config(&c), GALE_EVERSION);
    CHECK_EQ_INT(try_config(NULL), 0);
    CHECK_EQ_INT(gale_server_new(NULL, NULL), UV_EINVAL);
}

TEST(config, init_fills_what_fits_and_zeroes_what_it_does_not_know) {
    longer_config_t longer;
    memset(&longer, 0xff, sizeof longer);
    gale_config_init(&longer.known, sizeof longer);
    CHECK_EQ_UINT(longer.known.struct_size, sizeof longer);
    CHECK_EQ_UINT(longer.known.backlog, 1024);
    CHECK_EQ_UINT(longer.unknown, 0);
    memset(&longer, 0xff, sizeof longer);
    gale_config_init(&longer.known, offsetof(gale_config_t, max_headers));
    CHECK_EQ_UINT(longer.known.max_header_bytes, 16384);
    CHECK_EQ_UINT(longer.known.max_headers, UINT32_MAX);
}

typedef struct {
    gale_handler_t known;
    void (*unknown)(void);
} longer_handler_t;

static void on_request(gale_req_t *req, void *data) {
    (void)data;
    gale_respond_text(req, 200, "x");
}

TEST(config, sizes_of_a_handler) {
    gale_server_t *s;
    REQUIRE(gale_server_new(&s, NULL) == 0);
    longer_handler_t h;
    gale_handler_init(&h.known, sizeof h);
    CHECK(h.unknown == NULL);
    CHECK_EQ_INT(gale_server_handle(s, &h.known, NULL), UV_EINVAL); /* on_request is required */
    h.known.on_request = on_request;
    CHECK_EQ_INT(gale_server_handle(s, &h.known, NULL), 0);
    h.unknown = (void (*)(void))on_request;
    CHECK_EQ_INT(gale_server_handle(s, &h.known, NULL), GALE_EVERSION);
    CHECK(strlen(gale_server_errmsg(s)) > 0);
    h.known.struct_size = sizeof(size_t);
    CHECK_EQ_INT(gale_server_handle(s, &h.known, NULL), GALE_EVERSION);
    gale_server_free(s);
}

TEST(config, zero_means_the_default) {
    gale_config_t c = {.struct_size = sizeof c};
    CHECK_EQ_INT(try_config(&c), 0);
    gale_server_t *s;
    c.workers = 3;
    REQUIRE(gale_server_new(&s, &c) == 0);
    CHECK_EQ_UINT(gale_server_workers(s), 3);
    gale_server_free(s);
    REQUIRE(gale_server_new(&s, NULL) == 0);
    CHECK_EQ_UINT(gale_server_workers(s), uv_available_parallelism());
    gale_server_free(s);
}

TEST(config, nonsense_is_refused) {
    gale_config_t c = gale_config();
    c.workers = 100000;
    CHECK_EQ_INT(try_config(&c), UV_EINVAL);
    c = gale_config();
    c.write_low_water = c.write_high_water + 1;
    CHECK_EQ_INT(try_config(&c), UV_EINVAL);
    c = gale_config();
    c.max_header_bytes = 10;
    CHECK_EQ_INT(try_config(&c), UV_EINVAL);
    c = gale_config();
    c.max_headers = UINT32_MAX;
    CHECK_EQ_INT(try_config(&c), UV_EINVAL);
    c = gale_config();
    c.compress_level = 10;
    CHECK_EQ_INT(try_config(&c), UV_EINVAL);
    c = gale_config();
    c.compress = GALE_CODING_ALL + 1;
    CHECK_EQ_INT(try_config(&c), UV_EINVAL);
    c = gale_config();
    c.decompress = 1u << 31;
    CHECK_EQ_INT(try_config(&c), UV_EINVAL);
}

/* Only the high mark lowered, as a caller would who wants little memory used. */
TEST(config, a_high_mark_below_the_default_low_one) {
    gale_config_t c = {.struct_size = sizeof c, .write_high_water = 1000};
    CHECK_EQ_INT(try_config(&c), 0);
}
