/* gale_resp_file: ranges, sizes, back-pressure, clients that leave; the descriptor is closed in
 * every case. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rig.h"
#include "rig_alloc.h"

#define GET "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

enum { SIZE = 700000 };

/* An unlinked file with the pattern in it. */
static int open_pattern(size_t size) {
    char path[] = "/tmp/gale-file-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0) return fd;
    unlink(path);
    if (write(fd, rig_pattern(size), size) != (ssize_t)size) {
        close(fd);
        return -1;
    }
    return fd;
}

static void open_request(rig_t *rig, rig_client_t *client, const char *text) {
    rig_open(rig);
    rig_connect(rig, client);
    CHECK_EQ_INT(rig_send(client, text), 0);
    CHECK(rig->req != NULL);
}

static void close_all(rig_t *rig, rig_client_t *client, int fd) {
    rig_drop(rig, client);
    rig_close(rig);
    CHECK(fcntl(fd, F_GETFD) < 0);
}

TEST(file, pieces_of_every_kind) {
    static const struct {
        uint64_t offset;
        int64_t length, want;
    } rows[] = {{0, -1, SIZE}, {0, SIZE, SIZE},    {1, -1, SIZE - 1}, {65535, 65537, 65537},
                {0, 1, 1},     {SIZE - 1, -1, 1},  {SIZE, -1, 0},     {SIZE + 5, -1, 0},
                {7, 0, 0},     {100, 65536, 65536}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig_t rig;
        rig_client_t client;
        char length[64];
        rig_init(&rig);
        open_request(&rig, &client, GET);
        int fd = open_pattern(SIZE);
        REQUIRE(fd >= 0);
        CHECK_EQ_INT(gale_resp_file(rig.req, 200, NULL, 0, fd, rows[i].offset, rows[i].length), 0);
        CHECK(rig_until(&rig, &rig.dones, 1, 5000));
        rig_turn(&rig, 2);
        gale_str_t got = rig_take(&client);
        snprintf(length, sizeof length, "Content-Length: %d\r\n", (int)rows[i].want);
        CHECK_MSG(rig_has(gale_str(got.ptr, got.len < 500 ? got.len : 500), length), "row %zu", i);
        CHECK_EQ_STRS(rig_body_of(got),
                      gale_str(rig_pattern(SIZE) + rows[i].offset, (size_t)rows[i].want));
        CHECK_EQ_INT(rig.last_status, GALE_OK);
        close_all(&rig, &client, fd);
    }
}

TEST(file, without_a_body_H1_18) {
    static const struct {
        const char *request;
        int status;
        const char *length;
    } rows[] = {{"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", 200, "Content-Length: 1000"},
                {GET, 304, NULL},
                {GET, 205, "Content-Length: 0"},
                {GET, 204, NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rig_t rig;
        rig_client_t client;
        rig_init(&rig);
        open_request(&rig, &client, rows[i].request);
        int fd = open_pattern(1000);
        CHECK_EQ_INT(gale_resp_file(rig.req, rows[i].status, NULL, 0, fd, 0, -1), 0);
        CHECK(rig_until(&rig, &rig.dones, 1, 5000));
        rig_turn(&rig, 2);
        gale_str_t got = rig_take(&client);
        CHECK_EQ_UINT(rig_body_of(got).len, 0);
        CHECK(rig_has(got, rows[i].length != NULL ? rows[i].length : "Content-Length") ==
              (rows[i].length != NULL));
        close_all(&rig, &client, fd);
    }
}

TEST(file, closes_the_descriptor_on_error) {
    rig_t rig;
    rig_client_t client;
    gale_header_t bad = {{"A\n", 2}, {"x", 1}};
    rig_init(&rig);
    open_request(&rig, &client, GET);
    int fd = open_pattern(10);
    CHECK_EQ_INT(gale_resp_file(rig.req, 200, &bad, 1, fd, 0, -1), GALE_EHEADER);
    CHECK(fcntl(fd, F_GETFD) < 0);
    fd = open_pattern(10);
    CHECK_EQ_INT(gale_resp_file(rig.req, 99, NULL, 0, fd, 0, 10), GALE_EHEADER);
    CHECK(fcntl(fd, F_GETFD) < 0);
    fd = open_pattern(10);
    CHECK_EQ_INT(gale_resp_file(rig.req, 200, NULL, 0, fd, 0, -2), UV_EINVAL);
    CHECK(fcntl(fd, F_GETFD) < 0);
    CHECK(gale_resp_file(rig.req, 200, NULL, 0, -1, 0, -1) < 0);
    CHECK_EQ_INT(gale_respond_text(rig.req, 200, "after all"), 0);
    fd = open_pattern(10);
    CHECK_EQ_INT(gale_resp_file(rig.req, 200, NULL, 0, fd, 0, 10), GALE_ESTATE);
    close_all(&rig, &client, fd);
}

TEST(file, waits_for_a_stalled_client) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    open_request(&rig, &client, GET);
    gale_peer_stall(client.peer, true);
    int fd = open_pattern(SIZE);
    CHECK_EQ_INT(gale_resp_file(rig.req, 200, NULL, 0, fd, 0, -1), 0);
    rig_wait(&rig, 50);
    REQUIRE(rig.req != NULL);
    CHECK(gale_resp_queued(rig.req) <= 65536 + 16384 + 1024); /* not the whole file */
    for (int i = 0; i < 1000 && rig.dones == 0; i++) {
        gale_peer_stall(client.peer, i % 2 != 0);
        rig_wait(&rig, 1);
    }
    gale_peer_stall(client.peer, false);
    rig_turn(&rig, 3);
    CHECK_EQ_STRS(rig_body_of(rig_take(&client)), gale_str(rig_pattern(SIZE), SIZE));
    close_all(&rig, &client, fd);
}

/* The file is shorter than was promised: the client must see that something is missing. */
TEST(file, a_file_that_shrank_cuts) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    open_request(&rig, &client, GET);
    int fd = open_pattern(1000);
    CHECK_EQ_INT(gale_resp_file(rig.req, 200, NULL, 0, fd, 0, 2000), 0);
    CHECK(rig_until(&rig, &client.closes, 1, 5000));
    CHECK_EQ_INT(rig.last_status, GALE_ELENGTH);
    close_all(&rig, &client, fd);
}

TEST(file, the_client_leaves_meanwhile) {
    for (int turns = 0; turns < 4; turns++) {
        rig_t rig;
        rig_client_t client;
        rig_init(&rig);
        open_request(&rig, &client, GET);
        gale_peer_stall(client.peer, true);
        int fd = open_pattern(SIZE);
        CHECK_EQ_INT(gale_resp_file(rig.req, 200, NULL, 0, fd, 0, -1), 0);
        rig_turn(&rig, (unsigned)turns);
        gale_peer_close(client.peer);
        CHECK(rig_until(&rig, &rig.dones, 1, 2000));
        CHECK_EQ_INT(rig.last_status, GALE_EGONE);
        close_all(&rig, &client, fd);
    }
}

TEST(file, pipelined) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    open_request(&rig, &client, GET GET);
    int fd = open_pattern(100000);
    CHECK_EQ_INT(gale_resp_file(rig.req, 200, NULL, 0, fd, 0, 100000), 0);
    CHECK(rig_until(&rig, &rig.requests, 2, 5000));
    CHECK_EQ_INT(gale_respond_text(rig.req, 200, "second"), 0);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(rig_count(rig_take(&client), "HTTP/1.1 200"), 2);
    close_all(&rig, &client, fd);
}

TEST(file, no_memory) {
    for (unsigned long n = 1; n < 20; n++) {
        rig_t rig;
        rig_client_t client;
        rig_alloc_begin(n, true);
        rig_alloc_pause(true);
        rig_init(&rig);
        open_request(&rig, &client, GET);
        int fd = open_pattern(200000);
        rig_alloc_pause(false);
        int err = gale_resp_file(rig.req, 200, NULL, 0, fd, 0, -1);
        if (err < 0) gale_resp_abort(rig.req);
        CHECK(rig_until(&rig, &rig.dones, 1, 5000));
        rig_alloc_pause(true);
        bool refused = rig_alloc_refused();
        CHECK(refused || rig.last_status == GALE_OK);
        close_all(&rig, &client, fd);
        rig_alloc_end();
        if (!refused) return;
    }
    CHECK(false);
}

static void a_folder(rig_t *rig, gale_req_t *req) {
    (void)rig;
    CHECK_EQ_INT(gale_resp_file(req, 200, NULL, 0, open("/", O_RDONLY), 0, -1), UV_EINVAL);
    CHECK_EQ_INT(gale_resp_file(req, 200, NULL, 0, open("/", O_RDONLY), 0, 5), UV_EINVAL);
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    CHECK_EQ_INT(gale_resp_file(req, 200, NULL, 0, ends[0], 0, -1), UV_EINVAL);
    CHECK_EQ_INT(gale_resp_file(req, 200, NULL, 0, ends[1], 0, 5), UV_EINVAL);
    CHECK_EQ_INT(gale_resp_file(req, 200, NULL, 0, -1, 0, 5), UV_EBADF);
    CHECK_EQ_INT(gale_resp_file(req, 200, NULL, 0, -1, 0, -1), UV_EBADF);
    CHECK_EQ_INT(gale_respond_text(req, 200, "ok"), 0);
}

TEST(file, a_folder_or_pipe_is_none) {
    rig_t rig;
    char out[512];
    rig_init(&rig);
    rig.request = a_folder;
    rig_open(&rig);
    unsigned fds = rig_open_fds();
    rig_ask(&rig, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", out, sizeof out);
    CHECK_EQ_INT(rig_status_of(gale_cstr(out)), 200);
    CHECK_EQ_UINT(rig_open_fds(), fds);
    rig_close(&rig);
}
