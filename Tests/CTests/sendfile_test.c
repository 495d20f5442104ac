/*
 * Files over real sockets, which is where they go by sendfile: every size, slow readers beside
 * quick ones, clients that leave or stall, files that shrink, are cold, or lie where sendfile or the
 * question after the page cache is refused. The loop is turned by hand between the client's reads.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "rig.h"
#include "rig_alloc.h"
#include "rig_socket.h"

#define GET "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
#define UNIX_PATH "/tmp/gale-sendfile-test.sock"

enum { SIZE = 12 << 20 };

/* What a request is answered with. */
typedef struct {
    int fd; /* stays open here; each answer has a duplicate */
    uint64_t offset;
    int64_t length;
    int result;
} source_t;

static int open_pattern(const char *dir, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "%s/gale-sendfile-XXXXXX", dir);
    int fd = mkstemp(path);
    if (fd < 0) return fd;
    unlink(path);
    if (write(fd, rig_pattern(size), size) == (ssize_t)size) return fd;
    close(fd);
    return -1;
}

static void answer(rig_t *rig, gale_req_t *req) {
    source_t *s = rig->arg;
    gale_str_t target = gale_req_target(req);
    if (target.len > 1) {
        gale_respond_text(req, 200, "small");
        return;
    }
    s->result = gale_resp_file(req, 200, NULL, 0, dup(s->fd), s->offset, s->length);
}

static void begin(rig_t *rig, source_t *s, const char *url, const char *dir) {
    rig_init(rig);
    rig->url = url;
    rig->request = answer;
    rig->arg = s;
    *s = (source_t){.fd = open_pattern(dir, SIZE), .length = -1};
    CHECK(s->fd >= 0);
}

static int client_of(rig_t *rig) {
    int fd = strncmp(rig->url, "unix:", 5) == 0 ? sock_connect_unix(UNIX_PATH)
                                                : sock_connect(gale_server_port(rig->server, 0));
    CHECK(fd >= 0);
    rig_turn(rig, 2);
    return fd;
}

static void end(rig_t *rig, source_t *s) {
    close(s->fd);
    rig_close(rig);
}

/* Takes at most `most` bytes, turning the loop; stops at `most`, at the end (*closed), or when
 * nothing has come for five seconds. */
static size_t take(rig_t *rig, int fd, char *out, size_t most, bool *closed) {
    size_t have = 0;
    uint64_t end = uv_hrtime() + 5000000000;
    *closed = false;
    while (have < most && uv_hrtime() < end) {
        ssize_t n = recv(fd, out + have, most - have, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            *closed = true;
            break;
        }
        if (n > 0) {
            have += (size_t)n;
            end = uv_hrtime() + 5000000000;
        } else {
            rig_wait(rig, 1);
        }
    }
    return have;
}

/* Reads one response; its body must be these bytes of the pattern. */
static void check_response(rig_t *rig, int fd, size_t offset, size_t len) {
    static char bytes[SIZE + 1024];
    bool closed;
    size_t have = 0, head = 0;
    while (head == 0) {
        size_t n = take(rig, fd, bytes + have, 1, &closed);
        if (n == 0) break;
        have += n;
        if (have >= 4 && memcmp(bytes + have - 4, "\r\n\r\n", 4) == 0) head = have;
    }
    REQUIRE(head > 0);
    size_t got = take(rig, fd, bytes + have, len, &closed);
    CHECK_EQ_UINT(got, len);
    CHECK(memcmp(bytes + have, rig_pattern(SIZE) + offset, got) == 0);
}

/* ------------------------------------------------------------------------------------------- wholes */

static void every_size(const char *url, const char *dir) {
    static const struct {
        uint64_t offset;
        int64_t length, want;
    } rows[] = {{0, -1, SIZE},       {0, 1, 1},           {SIZE - 1, -1, 1}, {0, 0, 0},
                {1, 16384, 16384},   {5, 16385, 16385},   {0, 65536, 65536}, {3, 262144, 262144},
                {0, 262145, 262145}, {7, 700001, 700001}, {SIZE, -1, 0},     {SIZE + 9, -1, 0}};
    rig_t rig;
    source_t s;
    begin(&rig, &s, url, dir);
    rig_open(&rig);
    int fd = client_of(&rig);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        s.offset = rows[i].offset;
        s.length = rows[i].length;
        CHECK(sock_send(fd, GET));
        check_response(&rig, fd, (size_t)rows[i].offset % SIZE, (size_t)rows[i].want);
        CHECK_EQ_INT(s.result, 0);
        CHECK_EQ_INT(rig.last_status, GALE_OK);
    }
    close(fd);
    end(&rig, &s);
}

TEST(sendfile, STA_14_over_tcp) { /* STA-14 */
    every_size("http://127.0.0.1:0", "/tmp");
}

TEST(sendfile, over_a_unix_socket) {
    unlink(UNIX_PATH);
    every_size("unix:" UNIX_PATH, "/tmp");
}

TEST(sendfile, from_a_file_system_in_memory) {
    if (access("/dev/shm", W_OK) == 0) every_size("http://127.0.0.1:0", "/dev/shm");
}

TEST(sendfile, pipelined) {
    rig_t rig;
    source_t s;
    begin(&rig, &s, "http://127.0.0.1:0", "/tmp");
    rig_open(&rig);
    int fd = client_of(&rig);
    s.length = 300000;
    for (int i = 0; i < 8; i++) CHECK(sock_send(fd, GET "GET /small HTTP/1.1\r\nHost: h\r\n\r\n"));
    for (int i = 0; i < 8; i++) {
        char small[256];
        size_t n = 0;
        bool closed;
        check_response(&rig, fd, 0, 300000);
        while (n < sizeof small - 1 && (n < 5 || memcmp(small + n - 5, "small", 5) != 0) &&
               take(&rig, fd, small + n, 1, &closed) == 1)
            n++;
        CHECK(n > 5 && memcmp(small + n - 5, "small", 5) == 0);
    }
    close(fd);
    end(&rig, &s);
}

#ifdef __linux__
static unsigned corked, uncorked;

static void count_cork(gale__conn_t *c, bool on) {
    *(on ? &corked : &uncorked) += 1;
    gale__transport_stream.cork(c, on);
}

static void answer_counted(rig_t *rig, gale_req_t *req) {
    static gale__transport_t counting;
    int on = 1, fd = gale__transport_stream.descriptor(req->conn);
    socklen_t size = sizeof on;
    CHECK_EQ_INT(getsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, &size), 0);
    CHECK_EQ_INT(on, 0); /* the file before left nothing behind that holds back */
    counting = gale__transport_stream;
    counting.cork = count_cork;
    req->conn->transport = &counting;
    answer(rig, req);
}

/* Of more than a window only full packets are sent, until the end, or until the client leaves. */
TEST(sendfile, in_full_packets) {
    static const struct {
        int64_t length;
        unsigned corked;
    } rows[] = {{262144, 0}, {262145, 1}, {3000000, 1}, {20000, 0}};
    rig_t rig;
    source_t s;
    if (access("/dev/shm", W_OK) != 0) return;
    begin(&rig, &s, "http://127.0.0.1:0", "/dev/shm");
    rig.request = answer_counted;
    rig_open(&rig);
    int fd = client_of(&rig);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        corked = uncorked = 0;
        s.length = rows[i].length;
        CHECK(sock_send(fd, GET));
        check_response(&rig, fd, 0, (size_t)rows[i].length);
        CHECK(rig_until(&rig, &rig.dones, (unsigned)i + 1, 5000));
        CHECK_EQ_UINT(corked, rows[i].corked);
        CHECK_EQ_UINT(uncorked, rows[i].corked);
    }
    s.length = -1;
    corked = uncorked = 0;
    CHECK(sock_send(fd, GET));
    CHECK(rig_until(&rig, &corked, 1, 5000));
    CHECK_EQ_UINT(uncorked, 0);
    close(fd);
    CHECK(rig_until(&rig, &rig.dones, rig.requests, 5000));
    CHECK_EQ_UINT(uncorked, 1);
    end(&rig, &s);
}
#endif

/* Pages that the kernel has dropped are read by the pool, and what follows goes either way. */
TEST(sendfile, STA_14_not_in_memory) { /* STA-14 */
    rig_t rig;
    source_t s;
    begin(&rig, &s, "http://127.0.0.1:0", "/tmp");
    rig_open(&rig);
    int fd = client_of(&rig);
    CHECK_EQ_INT(fsync(s.fd), 0);
    CHECK_EQ_INT(posix_fadvise(s.fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    CHECK(sock_send(fd, GET));
    check_response(&rig, fd, 0, SIZE);
    CHECK_EQ_INT(posix_fadvise(s.fd, 1 << 20, 2 << 20, POSIX_FADV_DONTNEED), 0); /* a hole */
    CHECK(sock_send(fd, GET));
    check_response(&rig, fd, 0, SIZE);
    close(fd);
    end(&rig, &s);
}

/* No descriptor is left to wait for the socket with. */
TEST(sendfile, without_a_second_descriptor) {
    rig_t rig;
    source_t s;
    struct rlimit before, now;
    begin(&rig, &s, "http://127.0.0.1:0", "/tmp");
    rig_open(&rig);
    int fd = client_of(&rig);
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    int next = dup(s.fd); /* the answer's own takes this number */
    close(next);
    now = before;
    now.rlim_cur = (rlim_t)next + 1;
    CHECK_EQ_INT(setrlimit(RLIMIT_NOFILE, &now), 0);
    CHECK(sock_send(fd, GET));
    check_response(&rig, fd, 0, SIZE);
    CHECK_EQ_INT(setrlimit(RLIMIT_NOFILE, &before), 0);
    close(fd);
    end(&rig, &s);
}

/* ------------------------------------------------------------------------------------ slow, and gone */

/* A client that takes its time, or all there is, holds up nobody. */
TEST(sendfile, STA_14_others_are_served_meanwhile) { /* STA-14 */
    rig_t rig;
    source_t s;
    char some[4096];
    bool closed;
    begin(&rig, &s, "http://127.0.0.1:0", "/tmp");
    rig_open(&rig);
    int slow = client_of(&rig), quick = client_of(&rig);
    CHECK(sock_send(slow, GET));
    CHECK_EQ_UINT(take(&rig, slow, some, sizeof some, &closed), sizeof some);
    CHECK_EQ_UINT(rig.dones, 0);
    for (int i = 0; i < 20; i++) {
        CHECK(sock_send(quick, "GET /small HTTP/1.1\r\nHost: h\r\n\r\n"));
        rig_turn(&rig, 3); /* no more: the file doesn't stand in the way */
        CHECK(recv(quick, some, sizeof some, MSG_DONTWAIT) > 0);
        CHECK_EQ_UINT(take(&rig, slow, some, 1000, &closed), 1000);
    }
    CHECK_EQ_UINT(rig.dones, 20);
    close(slow);
    CHECK(rig_until(&rig, &rig.dones, 21, 5000));
    CHECK_EQ_INT(rig.last_status, GALE_EGONE);
    close(quick);
    end(&rig, &s);
}

TEST(sendfile, the_client_leaves_at_any_point) {
    static char some[1 << 20];
    rig_t rig;
    source_t s;
    bool closed;
    begin(&rig, &s, "http://127.0.0.1:0", "/tmp");
    rig_open(&rig);
    unsigned open = 0;
    for (unsigned i = 0; i < 12; i++) {
        int fd = client_of(&rig);
        CHECK(sock_send(fd, GET));
        rig_turn(&rig, i % 4);
        take(&rig, fd, some, (size_t)1 << (i + 8), &closed);
        if (i % 2 == 0) { /* a reset in place of a FIN */
            struct linger off = {1, 0};
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof off);
        }
        close(fd);
        CHECK(rig_until(&rig, &rig.dones, i + 1, 5000));
        CHECK_EQ_INT(rig.last_status, GALE_EGONE);
        rig_turn(&rig, 3);
        if (i == 0) open = rig_open_fds(); /* what a first client has opened for good is */
        CHECK_EQ_UINT(rig_open_fds(), open);
    }
    end(&rig, &s);
}

TEST(sendfile, a_client_that_takes_nothing_is_cut) {
    rig_t rig;
    source_t s;
    begin(&rig, &s, "http://127.0.0.1:0", "/tmp");
    rig.config.write_timeout_ms = 100;
    rig_open(&rig);
    int fd = client_of(&rig);
    CHECK(sock_send(fd, GET));
    CHECK(rig_until(&rig, &rig.dones, 1, 10000));
    CHECK_EQ_INT(rig.last_status, GALE_ETIMEDOUT);
    close(fd);
    end(&rig, &s);
}

TEST(sendfile, a_client_that_takes_little_is_not) {
    static char some[400000];
    rig_t rig;
    source_t s;
    bool closed;
    begin(&rig, &s, "http://127.0.0.1:0", "/tmp");
    rig.config.write_timeout_ms = 500;
    rig_open(&rig);
    int fd = client_of(&rig);
    CHECK(sock_send(fd, GET));
    for (int i = 0; i < 10; i++) {
        CHECK_EQ_UINT(take(&rig, fd, some, sizeof some, &closed), sizeof some);
        rig_wait(&rig, 100);
    }
    CHECK_EQ_UINT(rig.dones, 0);
    close(fd);
    end(&rig, &s);
}

/* The length was promised: the client sees that something is missing, and is not left waiting. */
TEST(sendfile, a_file_that_shrinks_cuts) {
    static char rest[SIZE + 1024];
    rig_t rig;
    source_t s;
    char some[4096];
    bool closed;
    begin(&rig, &s, "http://127.0.0.1:0", "/tmp");
    rig_open(&rig);
    int fd = client_of(&rig);
    CHECK(sock_send(fd, GET));
    CHECK_EQ_UINT(take(&rig, fd, some, sizeof some, &closed), sizeof some);
    CHECK_EQ_UINT(rig.dones, 0);
    CHECK_EQ_INT(ftruncate(s.fd, 5000), 0);
    CHECK(take(&rig, fd, rest, sizeof rest, &closed) < SIZE - sizeof some);
    CHECK(closed);
    CHECK_EQ_INT(rig.last_status, GALE_ELENGTH);
    close(fd);
    s.length = 6000; /* from the start */
    fd = client_of(&rig);
    CHECK(sock_send(fd, GET));
    take(&rig, fd, rest, sizeof rest, &closed);
    CHECK(closed);
    CHECK_EQ_INT(rig.last_status, GALE_ELENGTH);
    close(fd);
    end(&rig, &s);
}

TEST(sendfile, the_server_stops_meanwhile) {
    rig_t rig;
    source_t s;
    begin(&rig, &s, "http://127.0.0.1:0", "/tmp");
    rig.config.shutdown_grace_ms = 50;
    rig_open(&rig);
    int fd = client_of(&rig);
    CHECK(sock_send(fd, GET));
    rig_wait(&rig, 20);
    CHECK_EQ_UINT(rig.dones, 0);
    gale_server_stop(rig.server);
    CHECK(rig_until(&rig, &rig.dones, 1, 5000));
    CHECK_EQ_INT(rig.last_status, GALE_ESHUTDOWN);
    close(fd);
    end(&rig, &s);
}

/* ------------------------------------------------------------------------------------- large, no memory */

TEST(sendfile, beyond_four_gigabytes) {
    rig_t rig;
    source_t s;
    char out[1024];
    bool closed;
    begin(&rig, &s, "http://127.0.0.1:0", "/tmp");
    rig_open(&rig);
    off_t far = (off_t)5 << 30;
    if (pwrite(s.fd, "ABCDEFGH", 8, far - 8) == 8) {
        s.offset = (uint64_t)far - 8;
        int fd = client_of(&rig);
        CHECK(sock_send(fd, "GET / HTTP/1.0\r\n\r\n"));
        size_t n = take(&rig, fd, out, sizeof out, &closed);
        CHECK(closed && n > 8 && memcmp(out + n - 8, "ABCDEFGH", 8) == 0);
        close(fd);
        s.offset = 0; /* the whole of it: its length, and then the client has had enough */
        fd = client_of(&rig);
        CHECK(sock_send(fd, GET));
        n = take(&rig, fd, out, sizeof out, &closed);
        CHECK(n == sizeof out && rig_has(gale_str(out, n), "Content-Length: 5368709120\r\n"));
        close(fd);
        CHECK(rig_until(&rig, &rig.dones, 2, 5000));
    }
    end(&rig, &s);
}

TEST(sendfile, no_memory) {
    static char bytes[SIZE + 1024];
    for (unsigned long n = 1; n < 20; n++) {
        rig_t rig;
        source_t s;
        bool closed;
        rig_alloc_begin(n, true);
        rig_alloc_pause(true);
        begin(&rig, &s, "http://127.0.0.1:0", "/tmp");
        rig_open(&rig);
        int fd = client_of(&rig);
        CHECK(sock_send(fd, "GET / HTTP/1.0\r\n\r\n"));
        rig_alloc_pause(false);
        rig_until(&rig, &rig.requests, 1, 1000);
        if (s.result < 0 && rig.req != NULL) gale_resp_abort(rig.req);
        size_t got = take(&rig, fd, bytes, sizeof bytes, &closed);
        CHECK(closed);
        rig_alloc_pause(true);
        bool refused = rig_alloc_refused();
        CHECK(refused || got > SIZE);
        close(fd);
        end(&rig, &s);
        rig_alloc_end();
        if (!refused) return;
    }
    CHECK(false);
}
