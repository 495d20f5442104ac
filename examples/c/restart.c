/*
 * A server whose next build takes over without a client noticing. On SIGHUP the program is started
 * anew and handed the listening socket; once that one serves, this one stops. What waits in the
 * socket's queue is never dropped, and what is under way is answered by who has it.
 *
 *     cc restart.c $(pkg-config --cflags --libs gale) -pthread && ./a.out [PORT]
 *     kill -HUP PID
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <gale.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arguments.h"

enum {
    LISTENER = 3, /* what the next one finds its descriptors at */
    READY = 4,
    ABOVE = 10, /* where they are kept meanwhile */
    START_MS = 30000
};

extern char **environ;
static const char NEXT[] = "next";
static gale_server_t *server;

static void on_request(gale_req_t *req, void *data) {
    char text[32];
    snprintf(text, sizeof text, "%d\n", (int)getpid());
    gale_respond_text(req, 200, text);
}

static int listen_on(const char *port) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&name, sizeof name) == 0 && listen(fd, 1024) == 0) return fd;
    perror("restart: cannot listen");
    exit(1);
}

/* ------------------------------------------------------------------------------- the next one */

static pid_t spawn(const char *program, const char *port, int listener, int ready) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;
    pid_t pid = -1;
    char *argv[] = {(char *)program, (char *)port, (char *)NEXT, NULL};
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, listener, LISTENER);
    posix_spawn_file_actions_adddup2(&files, ready, READY);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, &none);
    /* By the name this one was started by, looked for where it was: there the next build is. */
    if (posix_spawnp(&pid, program, &files, &attributes, argv, environ) != 0) pid = -1;
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return pid;
}

/* Whether the program runs anew, and serves. If not, this one goes on. */
static bool start_next(const char *program, const char *port, int listener) {
    int ready[2];
    char byte;
    if (pipe(ready) != 0) return false;
    int write_end = fcntl(ready[1], F_DUPFD_CLOEXEC, ABOVE);
    fcntl(ready[0], F_SETFD, FD_CLOEXEC);
    close(ready[1]);
    pid_t pid = spawn(program, port, listener, write_end);
    close(write_end);
    struct pollfd end = {.fd = ready[0], .events = POLLIN};
    bool serves = pid > 0 && poll(&end, 1, START_MS) == 1 && read(ready[0], &byte, 1) == 1;
    close(ready[0]);
    if (serves || pid < 0) return serves;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return false;
}

static void say_ready(bool next) {
    char state[64];
    snprintf(state, sizeof state, "READY=1\nMAINPID=%d", (int)getpid());
    gale_notify(state); /* systemd, where it started the first one */
    if (!next) return;
    if (write(READY, "1", 1) != 1) perror("restart: nobody waits");
    close(READY);
}

/* ------------------------------------------------------------------------------------- signals */

static void on_second_signal(int number) { gale_server_stop(server); } /* cuts at once */

/* Until the server is to stop; SIGHUP is a reason once there is another one. */
static void wait_for_signal(const sigset_t *signals, const char *program, const char *port,
                            int listener) {
    int number = 0;
    while (sigwait(signals, &number) != 0 ||
           (number == SIGHUP && !start_next(program, port, listener))) {
        fputs("restart: the next one does not serve\n", stderr);
    }
    if (number != SIGHUP) gale_notify("STOPPING=1");
    signal(SIGINT, on_second_signal);
    signal(SIGTERM, on_second_signal);
    pthread_sigmask(SIG_UNBLOCK, signals, NULL);
}

int main(int argc, char **argv) {
    bool next = argc == 3 && strcmp(argv[2], NEXT) == 0; /* started by the one before it */
    take_words("restart", "usage: restart [PORT]\n", argc - next, argv, 1);
    const char *port = take_port("restart", argc > 1 ? argv[1] : "8080");
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* the workers' threads inherit it */

    gale_config_t config = gale_config();
    config.workers = 2;
    config.shutdown_idle_ms = 500; /* for requests under way on connections that are idle */
    gale_handler_t handler = gale_handler();
    handler.on_request = on_request;
    if (gale_server_new(&server, &config) < 0) return 1;
    gale_server_handle(server, &handler, NULL);
    int fd = next ? LISTENER : listen_on(port);
    int listener = fcntl(fd, F_DUPFD_CLOEXEC, ABOVE); /* to hand over; the server owns the other */
    if (gale_server_listen_fd(server, fd, NULL) < 0 || gale_server_start(server) < 0) {
        fprintf(stderr, "restart: %s\n", gale_server_errmsg(server));
        gale_server_free(server);
        return 1;
    }
    say_ready(next);
    printf("process %d serves http://127.0.0.1:%d/\n", (int)getpid(), gale_server_port(server, 0));
    fflush(stdout);

    wait_for_signal(&signals, argv[0], port, listener);
    close(listener);
    gale_server_stop(server);
    gale_server_join(server);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    gale_server_free(server);
    return 0;
}
