/* A null pointer with a length, or a null array with a count: refused, with nothing sent, and owned
 * buffers let go. */
#include <fcntl.h>

#include "rig_tunnel.h"
#include "rig_ws.h"

static const gale_str_t none = {NULL, 5};
static const gale_header_t bad[] = {{{"X-A", 3}, {NULL, 5}}, {{NULL, 4}, {"b", 1}}};
static const gale_header_t empty = {{"X-A", 3}, {NULL, 0}};

static gale_buf_t counted(unsigned *freed) {
    gale_buf_t b = rig_buf("", 0, freed);
    b.ptr = NULL;
    b.len = 5;
    return b;
}

static void answer(rig_t *rig, gale_req_t *req) {
    unsigned freed = 0;
    gale_str_t x = gale_cstr("x");
    CHECK_EQ_INT(gale_respond(req, 200, NULL, 3, x), UV_EINVAL);
    CHECK_EQ_INT(gale_respond(req, 200, &bad[0], 1, x), UV_EINVAL);
    CHECK_EQ_INT(gale_respond(req, 200, &bad[1], 1, x), UV_EINVAL);
    CHECK_EQ_INT(gale_respond(req, 200, NULL, 0, none), UV_EINVAL);
    CHECK_EQ_INT(gale_respond_buf(req, 200, NULL, 3, rig_buf("x", 1, &freed)), UV_EINVAL);
    CHECK_EQ_INT(gale_respond_buf(req, 200, NULL, 0, counted(&freed)), UV_EINVAL);
    CHECK_EQ_UINT(freed, 2);
    CHECK_EQ_INT(gale_respond_file(req, NULL, 1, open("/dev/null", O_RDONLY)), UV_EINVAL);
    CHECK_EQ_INT(gale_resp_file(req, 200, NULL, 1, open("/dev/null", O_RDONLY), 0, 0), UV_EINVAL);
    CHECK_EQ_INT(gale_sse_begin(req, 0, NULL, 1), UV_EINVAL);
    CHECK_EQ_INT(gale_resp_begin(req, 200, bad, 2, -1), UV_EINVAL);
    CHECK(gale_req_header(req, none).ptr == NULL && gale_req_cookie(req, none).ptr == NULL);
    CHECK(!gale_req_allowed_origin(req, NULL, 1) && !gale_req_allowed_origin(req, &none, 1));
    CHECK(!gale_req_wants_upgrade(req, none));
    const gale_str_t *nothing = NULL; /* a variable, for compilers that see a NULL */
    CHECK(gale_ws_choose(req, nothing, 1).ptr == NULL && gale_ws_choose(req, &none, 1).ptr == NULL);
    CHECK_EQ_INT(gale_publish(rig->server, none, GALE_WS_TEXT, x), UV_EINVAL);
    CHECK_EQ_INT(gale_publish(rig->server, x, GALE_WS_TEXT, none), UV_EINVAL);
    gale_ref_t ref = gale_req_ref(req);
    CHECK_EQ_INT(gale_ref_respond(rig->server, ref, 200, NULL, 1, rig_buf("x", 1, &freed)),
                 UV_EINVAL);
    CHECK_EQ_INT(gale_ref_send(rig->server, ref, GALE_WS_TEXT, counted(&freed)), UV_EINVAL);
    CHECK_EQ_INT(gale_ref_write(rig->server, ref, counted(&freed)), UV_EINVAL);
    CHECK_EQ_UINT(freed, 5);
    CHECK(!gale_resp_begun(req));

    CHECK_EQ_INT(gale_resp_begin(req, 200, &empty, 1, -1), 0); /* nothing, twice, is all right */
    CHECK_EQ_INT(gale_resp_write(req, none), UV_EINVAL);
    CHECK_EQ_INT(gale_resp_write_buf(req, counted(&freed)), UV_EINVAL);
    CHECK_EQ_UINT(freed, 6);
    CHECK_EQ_INT(gale_resp_write(req, gale_str(NULL, 0)), 0);
    CHECK_EQ_INT(gale_resp_end(req, NULL, 1), UV_EINVAL);
    CHECK_EQ_INT(gale_resp_end(req, bad, 1), UV_EINVAL);
    CHECK_EQ_INT(gale_resp_end(req, NULL, 0), 0);
}

TEST(given, null_with_a_length_in_a_response) {
    for (int compress = 0; compress < 2; compress++) {
        rig_t rig;
        char out[512];
        rig_init(&rig);
        rig.config.compress = compress ? GALE_CODING_ALL : 0;
        rig.request = answer;
        rig_open(&rig);
        rig_ask(&rig, "GET / HTTP/1.1\r\nHost: h\r\nOrigin: http://o\r\nCookie: a=b\r\n\r\n", out,
                sizeof out);
        CHECK_EQ_INT(rig_status_of(gale_cstr(out)), 200);
        CHECK_EQ_UINT(rig.requests, 1);
        rig_close(&rig);
    }
}

TEST(given, null_with_a_length_elsewhere) {
    char out[16] = "", *nowhere = NULL;
    size_t pos = 0;
    gale_str_t name, value, x = gale_cstr("x=1");
    CHECK_EQ_INT(gale_query_get(none, x, out, sizeof out), UV_EINVAL);
    CHECK_EQ_INT(gale_query_get(x, none, out, sizeof out), UV_EINVAL);
    CHECK_EQ_INT(gale_query_get(x, gale_cstr("x"), nowhere, sizeof out), UV_EINVAL);
    CHECK_EQ_INT(gale_query_next(none, &pos, out, sizeof out, &name, &value), UV_EINVAL);
    CHECK_EQ_INT(gale_cookie_next(none, &pos, out, sizeof out, &name, &value), UV_EINVAL);
    CHECK(gale_header_main(none).ptr == NULL);
    CHECK_EQ_INT(gale_header_param(none, x, out, sizeof out), UV_EINVAL);
    CHECK_EQ_INT(gale_header_param(x, none, out, sizeof out), UV_EINVAL);
    CHECK_EQ_INT(gale_safe_filename(none, out, sizeof out), UV_EINVAL);
    CHECK(gale_buf_copy(none.ptr, none.len).ptr == NULL);
    gale_sse_event_t event = gale_sse_event(x);
    CHECK_EQ_INT(gale_sse_format(nowhere, sizeof out, &event), UV_EINVAL);
    for (int i = 0; i < 3; i++) {
        event = gale_sse_event(x);
        *(i == 0 ? &event.data : i == 1 ? &event.event : &event.id) = none;
        CHECK_EQ_INT(gale_sse_format(out, sizeof out, &event), UV_EINVAL);
    }
    gale_limiter_t *limiter;
    gale_limiter_config_t config = {.struct_size = sizeof config, .tokens = 1};
    REQUIRE(gale_limiter_new(&limiter, &config) == 0);
    CHECK_EQ_INT(gale_limiter_take(limiter, none, 1, 1), UV_EINVAL);
    gale_limiter_free(limiter);
}

TEST(given, null_with_a_length_to_a_socket) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    unsigned freed = 0;
    gale_str_t x = gale_cstr("x");
    rig_init(&rig);
    rig_ws_open(&rig, &client, &ws);
    REQUIRE(ws.ws != NULL);
    rig_take(&client);
    CHECK_EQ_INT(gale_ws_send(ws.ws, GALE_WS_TEXT, none), UV_EINVAL);
    CHECK_EQ_INT(gale_ws_send_buf(ws.ws, GALE_WS_TEXT, counted(&freed)), UV_EINVAL);
    CHECK_EQ_INT(gale_ws_ping(ws.ws, none), UV_EINVAL);
    CHECK_EQ_INT(gale_ws_close(ws.ws, 1000, none), UV_EINVAL);
    CHECK_EQ_INT(gale_ws_subscribe(ws.ws, none), UV_EINVAL);
    CHECK_EQ_INT(gale_ws_unsubscribe(ws.ws, none), UV_EINVAL);
    CHECK_EQ_INT(gale_ws_publish(ws.ws, x, GALE_WS_TEXT, none), UV_EINVAL);
    CHECK_EQ_INT(gale_peer_send(client.peer, none), UV_EINVAL);
    CHECK_EQ_UINT(gale_worker_subscribers(rig.worker, none), 0);
    CHECK_EQ_UINT(freed, 1);
    rig_turn(&rig, 2);
    CHECK_EQ_UINT(rig_take(&client).len, 0);
    rig_ws_close(&rig, &client, &ws);
}

TEST(given, null_with_a_length_to_a_tunnel) {
    rig_t rig;
    rig_client_t client;
    play_t play = {.protocol = "raw/2", .headers = bad, .count = 1};
    unsigned freed = 0;
    rig_init(&rig);
    play_open(&rig, &client, &play, UPGRADE);
    CHECK_EQ_INT(play.accepted, UV_EINVAL);
    rig_drop(&rig, &client);
    play.count = 0;
    rig_connect(&rig, &client);
    rig_send(&client, UPGRADE);
    REQUIRE(play.tunnel != NULL);
    CHECK_EQ_INT(gale_tunnel_write(play.tunnel, none), UV_EINVAL);
    CHECK_EQ_INT(gale_tunnel_write_buf(play.tunnel, counted(&freed)), UV_EINVAL);
    CHECK_EQ_UINT(freed, 1);
    rig_drop(&rig, &client);
    rig_close(&rig);
    rig_text_free(&play.in);
}
