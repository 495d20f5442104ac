// Loads a server that sends each WebSocket message on to all sockets, and says what that costs it.
//
// Rounds: one socket, each time another, sends --depth messages in one write; when every socket has
// all of them the next round begins. Every byte that comes is compared. The first rounds are not
// counted; then the server's CPU time is read at the ends of the window. --stalled sockets beside
// the others never read.

#define _GNU_SOURCE
#include "connect.h"
#include "cpu_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    SOCKETS_MAX = 19000,
    SIZE_MAX_BYTES = 65535,
    DEPTH_MAX = 1024,
    ROUNDS_MAX = 1000000,
    WARM_ROUNDS = 20,
    STALL_MS = 10000,
    READ_SIZE = 256 * 1024
};

typedef struct {
    int port, connections, stalled, depth, size;
    double seconds;
    const char *path;
    cpu_clock_set_t cpu;
} options_t;

static int sockets[SOCKETS_MAX];
static size_t received[SOCKETS_MAX]; // in this round
static char *frames, *expected;      // what a round sends, what each socket gets
static size_t frames_len, expected_len;
static float round_us[ROUNDS_MAX];

static void die(const char *what) {
    fprintf(stderr, "broadcast: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static size_t put_head(char *to, int size, bool masked) {
    char bit = (char)(masked ? 0x80 : 0);
    to[0] = (char)0x82;
    if (size < 126) {
        to[1] = (char)(bit | size);
        return 2;
    }
    to[1] = (char)(bit | 126);
    to[2] = (char)(size >> 8);
    to[3] = (char)size;
    return 4;
}

// The mask is zero: what the loader does for each byte is no part of the measurement.
static void make_frames(const options_t *o) {
    size_t each = (size_t)o->size + 8;
    frames = calloc((size_t)o->depth, each);
    expected = calloc((size_t)o->depth, each);
    if (frames == NULL || expected == NULL) {
        die("memory");
    }
    for (int i = 0; i < o->depth; i++) {
        char *out = frames + frames_len, *in = expected + expected_len;
        size_t head = put_head(out, o->size, true) + 4, short_head = put_head(in, o->size, false);
        for (int k = 0; k < o->size; k++) {
            out[head + (size_t)k] = in[short_head + (size_t)k] = (char)('a' + (i + k) % 26);
        }
        frames_len += head + (size_t)o->size;
        expected_len += short_head + (size_t)o->size;
    }
}

static int open_one(const options_t *o, unsigned number) {
    int fd = connect_to(o->port, number);
    if (fd < 0) {
        die("connect");
    }
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    char request[1024], answer[1024];
    int len = snprintf(request, sizeof request,
                       "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\n"
                       "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                       o->path, o->port);
    if (write(fd, request, (size_t)len) != len) {
        die("write");
    }
    for (size_t n = 0;;) {
        ssize_t got = n < sizeof answer - 1 ? read(fd, answer + n, sizeof answer - 1 - n) : 0;
        if (got <= 0) {
            die("no answer to the handshake");
        }
        n += (size_t)got;
        answer[n] = '\0';
        if (strstr(answer, "\r\n\r\n") != NULL) {
            break;
        }
    }
    if (strncmp(answer, "HTTP/1.1 101 ", 13) != 0) {
        fprintf(stderr, "broadcast: answered %.40s\n", answer);
        exit(1);
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

// Takes what has come for a socket; true when it has all of the round.
static bool take(int index, char *buffer) {
    ssize_t got;
    while ((got = read(sockets[index], buffer, READ_SIZE)) > 0) {
        size_t n = (size_t)got, at = received[index];
        if (n > expected_len - at || memcmp(buffer, expected + at, n) != 0) {
            fprintf(stderr, "broadcast: socket %d got other bytes than were sent\n", index);
            exit(1);
        }
        received[index] += n;
        if (n < READ_SIZE) {
            return received[index] == expected_len;
        }
    }
    if (got == 0 || errno != EAGAIN) {
        die("a socket was closed");
    }
    return false;
}

static void play_round(const options_t *o, int poll, int sender) {
    static char buffer[READ_SIZE];
    static struct epoll_event events[1024];
    memset(received, 0, sizeof *received * (size_t)o->connections);
    for (size_t sent = 0; sent < frames_len;) {
        ssize_t n = write(sockets[sender], frames + sent, frames_len - sent);
        if (n < 0 && errno != EAGAIN) {
            die("write");
        }
        sent += n > 0 ? (size_t)n : 0;
    }
    for (int whole = 0; whole < o->connections;) {
        int count = epoll_wait(poll, events, 1024, STALL_MS);
        if (count <= 0) {
            die("the server sends no more");
        }
        for (int i = 0; i < count; i++) {
            int index = events[i].data.fd;
            whole += received[index] < expected_len && take(index, buffer);
        }
    }
}

static int compare(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void usage(void) {
    fprintf(stderr, "usage: broadcast --port PORT --path PATH [--connections N] [--depth N] "
                    "[--size BYTES] [--stalled N] [--seconds S] [--cpu-of PID]...\n");
    exit(2);
}

static options_t parse(int argc, char **argv) {
    static const struct option LONG[] = {
        {"port", required_argument, NULL, 'p'},
        {"path", required_argument, NULL, 'u'},
        {"connections", required_argument, NULL, 'c'},
        {"depth", required_argument, NULL, 'd'},
        {"size", required_argument, NULL, 'b'},
        {"stalled", required_argument, NULL, 'w'},
        {"seconds", required_argument, NULL, 's'},
        {"cpu-of", required_argument, NULL, 'x'},
        {NULL, 0, NULL, 0},
    };
    options_t o = {.connections = 1000, .depth = 16, .size = 100, .seconds = 1};
    for (int flag; (flag = getopt_long(argc, argv, "", LONG, NULL)) != -1;) {
        switch (flag) {
        case 'p':
            o.port = atoi(optarg);
            break;
        case 'u':
            o.path = optarg;
            break;
        case 'c':
            o.connections = atoi(optarg);
            break;
        case 'd':
            o.depth = atoi(optarg);
            break;
        case 'b':
            o.size = atoi(optarg);
            break;
        case 'w':
            o.stalled = atoi(optarg);
            break;
        case 's':
            o.seconds = atof(optarg);
            break;
        case 'x':
            if (o.cpu.count == CPU_CLOCK_MAX) {
                usage();
            }
            o.cpu.pids[o.cpu.count++] = (pid_t)atoi(optarg);
            break;
        default:
            usage();
        }
    }
    if (optind != argc || o.port < 1 || o.port > 65535 || o.path == NULL || o.connections < 1 ||
        o.stalled < 0 || o.connections + o.stalled > SOCKETS_MAX || o.depth < 1 ||
        o.depth > DEPTH_MAX || o.size < 1 || o.size > SIZE_MAX_BYTES || o.seconds <= 0) {
        usage();
    }
    return o;
}

int main(int argc, char **argv) {
    options_t o = parse(argc, argv);
    int all = o.connections + o.stalled, poll = epoll_create1(0), warm = WARM_ROUNDS, rounds = 0;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    make_frames(&o);
    for (int i = 0; i < all; i++) {
        sockets[i] = open_one(&o, (unsigned)i);
        struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.fd = i};
        if (i < o.connections && epoll_ctl(poll, EPOLL_CTL_ADD, sockets[i], &e) < 0) {
            die("epoll_ctl");
        }
    }
    for (int i = 0; i < warm; i++) {
        play_round(&o, poll, i % o.connections);
    }
    int64_t cpu = cpu_clock_read(&o.cpu), began = now_ns(),
            end = began + (int64_t)(o.seconds * 1e9);
    for (int64_t now = began; now < end && rounds < ROUNDS_MAX; rounds++) {
        int64_t start = now;
        play_round(&o, poll, rounds % o.connections);
        now = now_ns();
        round_us[rounds] = (float)(now - start) / 1000;
    }
    double seconds = (double)(now_ns() - began) / 1e9;
    cpu = cpu_clock_read(&o.cpu) - cpu;
    qsort(round_us, (size_t)rounds, sizeof *round_us, compare);
    printf("{\"requests\": %lld, \"seconds\": %.6f, \"cpu_ns\": %lld, \"failures\": 0, "
           "\"p50_us\": %.0f, \"p99_us\": %.0f}\n",
           (long long)rounds * o.depth * o.connections, seconds, (long long)cpu,
           (double)round_us[rounds / 2], (double)round_us[rounds * 99 / 100]);
    return 0;
}
