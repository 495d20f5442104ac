/*
 * What comes and leaves by a socket: all of it arrives in whatever pieces, the end and a refusal of
 * memory are noticed; nothing is held back, nothing is sent in needless pieces.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "rig_alloc.h"
#include "rig_socket.h"

static void answer_nodelay(gale_req_t *req, void *data) {
    uv_os_fd_t fd;
    int on = 0;
    socklen_t size = sizeof on;
    (void)data;
    CHECK_EQ_INT(uv_fileno(&req->conn->uv.handle, &fd), 0);
    CHECK_EQ_INT(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
    gale_respond_text(req, 200, on ? "at once" : "delayed");
}

TEST(transport_stream, no_delay_H1_21) {
    gale_config_t config = gale_config();
    gale_handler_t h = gale_handler();
    char out[1024];
    config.workers = 1;
    h.on_request = answer_nodelay;
    gale_server_t *s = live_start(&config, &h, NULL, "http://127.0.0.1:0");
    REQUIRE(s != NULL);
    int fd = sock_connect(gale_server_port(s, 0));
    REQUIRE(fd >= 0);
    CHECK(sock_send(fd, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    CHECK(sock_read(fd, out, sizeof out, NULL) > 0);
    CHECK_EQ_STR(rig_body_of(gale_cstr(out)), "at once");
    close(fd);
    live_end(s);
}

/* ------------------------------------------------------------------------------------ what comes */

enum { BODY = 200000 };
#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST "POST /post HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n"

/* Says of what length the body was and whether it is the pattern. */
static void answer_length(gale_req_t *req, void *data) {
    char text[64];
    gale_str_t body = gale_req_body(req);
    (void)data;
    CHECK(body.len == 0 || memcmp(body.ptr, rig_pattern(body.len), body.len) == 0);
    snprintf(text, sizeof text, "%.*s %zu;", (int)gale_req_path(req).len, gale_req_path(req).ptr,
             body.len);
    gale_respond_text(req, 200, text);
}

/* A pause that lets the server read what was sent so far by itself; nothing hangs on it. */
static void in_two(int fd, const char *bytes, size_t len, size_t at) {
    const struct timespec moment = {0, 2000000};
    CHECK(sock_send_bytes(fd, bytes, at));
    nanosleep(&moment, NULL);
    CHECK(sock_send_bytes(fd, bytes + at, len - at));
}

/* Between two requests a body whose last byte ends a read, whose first bytes came with the head, or
 * that stops somewhere; then the client ends its side. */
static void bodies_arrive(int (*dial)(const gale_server_t *s), const char *url) {
    static const size_t cuts[] = {1, 20, sizeof POST - 1, sizeof POST + 10, 70000, BODY};
    static char sent[sizeof POST + BODY];
    gale_handler_t h = gale_handler();
    gale_config_t config = gale_config();
    config.workers = 1;
    h.on_request = answer_length;
    gale_server_t *s = live_start(&config, &h, NULL, url);
    REQUIRE(s != NULL);
    memcpy(sent, POST, sizeof POST - 1);
    memcpy(sent + sizeof POST - 1, rig_pattern(BODY), BODY);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        char out[4096];
        int fd = dial(s);
        REQUIRE(fd >= 0);
        CHECK(sock_send(fd, GET("/before")));
        CHECK(sock_read(fd, out, sizeof out, "/before 0;") > 0);
        in_two(fd, sent, sizeof POST - 1 + BODY, cuts[i]);
        CHECK(sock_read(fd, out, sizeof out, "/post 200000;") > 0);
        CHECK(sock_send(fd, GET("/one") GET("/two")));
        CHECK_EQ_INT(shutdown(fd, SHUT_WR), 0);
        CHECK(sock_read(fd, out, sizeof out, NULL) > 0); /* until it is closed */
        CHECK(strstr(out, "/one 0;") != NULL && strstr(out, "/two 0;") != NULL);
        close(fd);
    }
    live_end(s);
}

static int dial_tcp(const gale_server_t *s) {
    return sock_connect(gale_server_port(s, 0));
}

static const char *unix_path(void) {
    static char path[64];
    snprintf(path, sizeof path, "/tmp/gale-stream-%d", (int)getpid());
    return path;
}

static int dial_unix(const gale_server_t *s) {
    (void)s;
    return sock_connect_unix(unix_path());
}

TEST(transport_stream, all_that_is_sent_arrives_over_tcp) {
    bodies_arrive(dial_tcp, "http://127.0.0.1:0");
}

TEST(transport_stream, all_that_is_sent_arrives_over_a_unix_socket) {
    char url[128];
    snprintf(url, sizeof url, "unix:%s", unix_path());
    bodies_arrive(dial_unix, url);
}

/* Part of a head fills all the room there is, and there is none for more: that client is cut, and
 * nobody else. */
TEST(transport_stream, no_memory_to_read_into) {
    char head[1024], out[1024];
    const struct timespec moment = {0, 1000000};
    rig_alloc_begin(1, true);
    rig_alloc_pause(true);
    gale_config_t config = gale_config();
    config.workers = 1;
    gale_server_t *s = live_start(&config, NULL, NULL, "http://127.0.0.1:0");
    REQUIRE(s != NULL);
    int fd = sock_connect(gale_server_port(s, 0)), other = sock_connect(gale_server_port(s, 0));
    REQUIRE(fd >= 0 && other >= 0);
    CHECK(sock_send(other, GET("/")) && sock_read_responses(other, 1));
    memset(head, 'a', sizeof head);
    memcpy(head, "GET /", 5);
    CHECK(sock_send_bytes(fd, head, sizeof head));
    for (int i = 0; i < 5000; i++) { /* until it has been read */
        gale_stats_t stats = {.struct_size = sizeof stats};
        CHECK_EQ_INT(gale_stats(s, &stats), 0);
        if (stats.bytes_in > sizeof head) break;
        nanosleep(&moment, NULL);
    }
    rig_alloc_pause(false);
    CHECK(sock_send(fd, "more"));
    long n = recv(fd, out, sizeof out, 0);
    CHECK(n == 0 || (n < 0 && errno == ECONNRESET));
    CHECK(rig_alloc_refused());
    rig_alloc_pause(true);
    CHECK(sock_send(other, GET("/")) && sock_read_responses(other, 1));
    close(fd);
    close(other);
    live_end(s);
    rig_alloc_end();
}

/* ------------------------------------------------------------------------- how many writes it took */

static const gale__transport_t *real;
static gale__transport_t counting;
static unsigned writes;

static long count_write(gale__conn_t *c, const uv_buf_t *parts, unsigned count) {
    writes++;
    return real->try_write(c, parts, count);
}

static void stream(rig_t *rig, gale_req_t *req) {
    unsigned *flushes = rig->arg;
    if (req->conn->transport != &counting) {
        real = req->conn->transport;
        counting = *real;
        counting.try_write = count_write;
        req->conn->transport = &counting;
    }
    CHECK_EQ_INT(gale_resp_begin(req, 200, NULL, 0, -1), 0);
    CHECK_EQ_INT(gale_resp_write(req, gale_cstr("first")), 0);
    if (*flushes > 0) CHECK_EQ_INT(gale_resp_flush(req), 0);
    CHECK_EQ_INT(gale_resp_write(req, gale_cstr("second")), 0);
    CHECK_EQ_INT(gale_resp_end(req, NULL, 0), 0);
}

/* H1-21: head, pieces and end of what one callback writes, and of what one read asks for. */
TEST(transport_stream, one_write_a_callback_H1_21) {
    static const struct {
        const char *text;
        unsigned flushes, answers, writes;
    } rows[] = {{GET("/"), 0, 1, 1}, {GET("/"), 1, 1, 2}, {GET("/") GET("/") GET("/"), 0, 3, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rig_t rig;
        rig_client_t client;
        unsigned flushes = rows[i].flushes;
        writes = 0;
        rig_init(&rig);
        rig.request = stream;
        rig.arg = &flushes;
        rig_open(&rig);
        rig_connect(&rig, &client);
        rig_send(&client, rows[i].text);
        rig_turn(&rig, 3);
        CHECK_EQ_UINT(rig_count(rig_take(&client), "\r\n0\r\n\r\n"), rows[i].answers);
        CHECK_EQ_UINT(writes, rows[i].writes);
        rig_drop(&rig, &client);
        rig_close(&rig);
    }
}
