// The floor: the least a server can do for a request on epoll.
//
// It parses nothing but the blank line that ends a request, so that pipelined
// requests each get their answer, and its answer is constant. It costs one read,
// one write and a share of one epoll_wait: what is left is the kernel's work.
// Every other server of the suite is measured against it.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    MAX_FD = 65536,
    EVENTS = 256,
    READ_SIZE = 65536,
    COPIES = 256, // answers that one write can carry
};

// How much of "\r\n\r\n" the bytes read so far end with, for each descriptor.
static unsigned char matched[MAX_FD];

static char answers[COPIES * 256];
static size_t answer_size;

static void die(const char *what) {
    perror(what);
    exit(1);
}

// The same bytes as Gale's hello, so that both move as much through the kernel.
static void build_answers(void) {
    char date[64];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    char one[256];
    int size = snprintf(
        one, sizeof one,
        "HTTP/1.1 200 OK\r\nServer: gale\r\nDate: %s\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 13\r\n\r\nHello, World!",
        date);
    answer_size = (size_t)size;
    for (size_t i = 0; i < COPIES; i++) {
        memcpy(answers + i * answer_size, one, answer_size);
    }
}

static unsigned char step(unsigned char state, char byte) {
    if (byte == "\r\n\r\n"[state]) {
        return (unsigned char)(state + 1);
    }
    return byte == '\r' ? 1 : 0;
}

// Counts the blank lines; *state carries one that is split over two reads.
static size_t count_ends(const char *at, size_t size, unsigned char *state) {
    const char *end = at + size;
    unsigned char s = *state;
    size_t count = 0;
    while (s != 0 && at < end) {
        s = step(s, *at++);
        if (s == 4) {
            count++;
            s = 0;
        }
    }
    const char *hit;
    while ((hit = memmem(at, (size_t)(end - at), "\r\n\r\n", 4)) != NULL) {
        count++;
        at = hit + 4;
    }
    // Only the last three bytes can begin a blank line that is not whole yet.
    if (end - at > 3) {
        at = end - 3;
    }
    while (at < end) {
        s = step(s, *at++);
    }
    *state = s;
    return count;
}

static bool answer(int fd, size_t count) {
    while (count > 0) {
        size_t now = count < COPIES ? count : COPIES;
        size_t size = now * answer_size;
        // The socket blocks, so that a write is whole unless the client has gone.
        if (write(fd, answers, size) != (ssize_t)size) {
            return false;
        }
        count -= now;
    }
    return true;
}

static void serve(int fd) {
    static char buffer[READ_SIZE];
    ssize_t size = read(fd, buffer, sizeof buffer);
    // Level-triggered epoll: what this read left over is reported again.
    if (size <= 0 || !answer(fd, count_ends(buffer, (size_t)size, &matched[fd]))) {
        close(fd);
    }
}

static void accept_one(int epoll, int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    if (fd >= MAX_FD) {
        close(fd);
        return;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    matched[fd] = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        die("floor: epoll_ctl");
    }
}

static int listen_on(unsigned short port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        die("floor: socket");
    }
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1024) != 0) {
        die("floor: listen");
    }
    return fd;
}

static unsigned short parse_port(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--port") == 0) {
        char *end;
        long port = strtol(argv[2], &end, 10);
        if (*end == '\0' && port > 0 && port < 65536) {
            return (unsigned short)port;
        }
    }
    fprintf(stderr, "usage: floor --port PORT\n");
    exit(2);
}

int main(int argc, char **argv) {
    unsigned short port = parse_port(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    build_answers();
    int listener = listen_on(port);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0) {
        die("floor: epoll");
    }
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                accept_one(epoll, listener);
            } else {
                serve(fd);
            }
        }
    }
}
