#define _GNU_SOURCE
#include "flags.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static _Noreturn void usage(const char *program) {
    fprintf(stderr, "usage: %s --port PORT --root FOLDER\n", program);
    exit(2);
}

flags_t flags_parse(int argc, char **argv) {
    flags_t flags = {.port = 0};
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 < argc && strcmp(argv[i], "--port") == 0) {
            flags.port = (unsigned short)atoi(argv[i + 1]);
        } else if (i + 1 < argc && strcmp(argv[i], "--root") == 0) {
            flags.root = argv[i + 1];
        } else {
            usage(argv[0]);
        }
    }
    if (flags.port == 0 || flags.root == NULL) {
        usage(argv[0]);
    }
    return flags;
}

int flags_listen(const flags_t *flags) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(flags->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, 1024) != 0) {
        perror("listen");
        exit(1);
    }
    return fd;
}
