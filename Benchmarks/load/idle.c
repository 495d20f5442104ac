// Holds idle connections, so that somebody else can look at what they cost the server.
//
// For each number of --steps it opens connections until there are so many, says the number on a
// line, and waits for a line on standard input. Each connection has asked once and was answered:
// a GET, which leaves it idle and alive, or with --websocket a handshake; with --deflate one that
// agrees on permessage-deflate and has had a message echoed, compressed. At the end it says how many
// connections the server has closed meanwhile.

#define _GNU_SOURCE
#include "connect.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 19000, ANSWER_MAX = 8192, STALL_SECONDS = 10 };

static int sockets[CONNECTIONS_MAX];

static void die(const char *what) {
    fprintf(stderr, "idle: %s: %s\n", what, strerror(errno));
    exit(1);
}

// Whether the bytes are a whole answer: the head, and as many bytes as its Content-Length says.
static bool is_whole(const char *bytes) {
    const char *blank = strstr(bytes, "\r\n\r\n");
    if (blank == NULL) {
        return false;
    }
    const char *field = strcasestr(bytes, "\r\ncontent-length:");
    size_t length = field != NULL && field < blank ? strtoul(field + 17, NULL, 10) : 0;
    return strlen(blank + 4) >= length;
}

static int open_one(int port, unsigned number, const char *request, const char *status) {
    int fd = connect_to(port, number);
    if (fd < 0) {
        die("connect");
    }
    struct timeval limit = {.tv_sec = STALL_SECONDS};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    // A reset at the end leaves no port behind that waits for a minute.
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    if (write(fd, request, strlen(request)) < 0) {
        die("write");
    }
    char answer[ANSWER_MAX + 1] = "";
    size_t size = 0;
    while (!is_whole(answer)) {
        ssize_t got = size < ANSWER_MAX ? read(fd, answer + size, ANSWER_MAX - size) : 0;
        if (got <= 0) {
            fprintf(stderr, "idle: connection %u: no whole answer: %.40s\n", number, answer);
            exit(1);
        }
        size += (size_t)got;
        answer[size] = '\0';
    }
    if (strncmp(answer, status, strlen(status)) != 0) {
        fprintf(stderr, "idle: connection %u: answered %.40s\n", number, answer);
        exit(1);
    }
    return fd;
}

// Sends a message that compresses well, and takes its echo, which must be compressed.
static void exchange_message(int fd, unsigned number) {
    enum { HEAD = 8, TEXT = 200 };
    char frame[HEAD + TEXT] = {(char)0x81, (char)(0x80 | 126), 0, (char)TEXT}; // the mask is zero
    memset(frame + HEAD, 'a', TEXT);
    if (write(fd, frame, sizeof frame) != (ssize_t)sizeof frame) {
        die("write");
    }
    unsigned char echo[2 + 125];
    size_t size = 0;
    while (size < 2 || size < 2 + (size_t)echo[1]) {
        ssize_t got = read(fd, echo + size, sizeof echo - size);
        if (got > 0) {
            size += (size_t)got;
        }
        if (got <= 0 || echo[0] != 0xc1 || (size > 1 && echo[1] > 125)) {
            fprintf(stderr, "idle: connection %u: no compressed echo\n", number);
            exit(1);
        }
    }
}

static int count_closed(int count) {
    int closed = 0;
    for (int i = 0; i < count; i++) {
        struct pollfd p = {.fd = sockets[i], .events = POLLIN | POLLRDHUP};
        closed += poll(&p, 1, 0) > 0;
    }
    return closed;
}

static void usage(void) {
    fprintf(stderr,
            "usage: idle --port PORT --path PATH --steps N,... [--websocket | --deflate]\n");
    exit(2);
}

int main(int argc, char **argv) {
    static const struct option LONG[] = {
        {"port", required_argument, NULL, 'p'},  {"path", required_argument, NULL, 'u'},
        {"steps", required_argument, NULL, 's'}, {"websocket", no_argument, NULL, 'w'},
        {"deflate", no_argument, NULL, 'd'},     {NULL, 0, NULL, 0},
    };
    int port = 0, flag;
    const char *path = NULL, *steps = NULL;
    bool websocket = false, deflate = false;
    while ((flag = getopt_long(argc, argv, "", LONG, NULL)) != -1) {
        switch (flag) {
        case 'p':
            port = atoi(optarg);
            break;
        case 'u':
            path = optarg;
            break;
        case 's':
            steps = optarg;
            break;
        case 'd':
            deflate = true;
            // fall through
        case 'w':
            websocket = true;
            break;
        default:
            usage();
        }
    }
    if (optind != argc || port < 1 || port > 65535 || path == NULL || steps == NULL) {
        usage();
    }
    char request[1024];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s%s\r\n", path,
             port,
             websocket ? "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                         "Sec-WebSocket-Version: 13\r\n"
                         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                       : "",
             deflate ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
    int count = 0;
    char *next = (char *)steps;
    while (*next != '\0') {
        long want = strtol(next, &next, 10);
        if (want < count || want > CONNECTIONS_MAX || (*next != ',' && *next != '\0')) {
            usage();
        }
        next += *next == ',';
        for (; count < want; count++) {
            sockets[count] = open_one(port, (unsigned)count, request,
                                      websocket ? "HTTP/1.1 101 " : "HTTP/1.1 200 ");
            if (deflate) {
                exchange_message(sockets[count], (unsigned)count);
            }
        }
        printf("%d\n", count);
        fflush(stdout);
        if (getchar() == EOF) {
            break;
        }
    }
    printf("%d closed\n", count_closed(count));
    return 0;
}
