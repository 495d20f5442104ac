/* What leaves by a socket, and how: nothing is held back, nothing is sent in needless pieces. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
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
#define GET "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    static const struct {
        const char *text;
        unsigned flushes, answers, writes;
    } rows[] = {{GET, 0, 1, 1}, {GET, 1, 1, 2}, {GET GET GET, 0, 3, 1}};
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
