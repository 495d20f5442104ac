// Hello, World! on libmicrohttpd: its epoll mode, one internal thread.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct MHD_Response *hello;

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *body,
                              size_t *body_size, void **state) {
    (void)context;
    (void)method;
    (void)version;
    (void)body;
    (void)body_size;
    if (strcmp(url, "/hello") != 0) {
        return MHD_NO;
    }
    // The first call only announces the head: answered there, MHD closes the connection.
    static int announced;
    if (*state == NULL) {
        *state = &announced;
        return MHD_YES;
    }
    return MHD_queue_response(connection, MHD_HTTP_OK, hello);
}

static unsigned short parse_port(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--port") == 0) {
        char *end;
        long port = strtol(argv[2], &end, 10);
        if (*end == '\0' && port > 0 && port < 65536) {
            return (unsigned short)port;
        }
    }
    fprintf(stderr, "usage: mhd --port PORT\n");
    exit(2);
}

int main(int argc, char **argv) {
    unsigned short port = parse_port(argc, argv);
    // Blocked before the thread starts, so that it inherits the mask and main waits.
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    sigprocmask(SIG_BLOCK, &stop, NULL);

    static char text[] = "Hello, World!";
    hello = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(hello, "Content-Type", "text/plain");
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    // MHD_USE_TURBO is the library's own advice for speed: peers run at their best.
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO, port, NULL, NULL, answer,
                         NULL, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_END);
    if (daemon == NULL) {
        fprintf(stderr, "mhd: cannot listen on port %u\n", port);
        return 1;
    }
    int signal_number;
    sigwait(&stop, &signal_number);
    MHD_stop_daemon(daemon);
    MHD_destroy_response(hello);
    return 0;
}
