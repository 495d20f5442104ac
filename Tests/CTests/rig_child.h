/*
 * A server in a process of its own, for tests that exhaust what a process has: descriptors, memory.
 * It ends on SIGTERM, and dies with the test's process.
 */
#ifndef GALE_TESTS_RIG_CHILD_H
#define GALE_TESTS_RIG_CHILD_H

#include <sys/types.h>

#include "rig_socket.h"

typedef struct {
    pid_t pid;
    int port;
} child_t;

/* Forks a server on 127.0.0.1 whose process may open `descriptors` files (0: as many as this one).
 * False, with a failed test, when it does not run. */
bool child_start(child_t *child, const gale_config_t *config, const gale_handler_t *handler,
                 unsigned descriptors);
/* Stops it and checks that it ended by itself, with nothing wrong. */
void child_end(child_t *child);

/* What its process holds and has used. */
unsigned child_fds(const child_t *child);
unsigned child_rss_kb(const child_t *child);
unsigned child_cpu_ms(const child_t *child);
/* Waits until it holds at most so many descriptors; false after five seconds. */
bool child_fds_settle(const child_t *child, unsigned most);

#endif
