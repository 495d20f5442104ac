#include "rig_child.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static gale_server_t *served;

static void on_term(int number) {
    (void)number;
    gale_server_stop(served);
}

/* In the child: tells the port, serves until SIGTERM. */
static int serve(int tell, const gale_config_t *config, const gale_handler_t *handler,
                 unsigned descriptors) {
    struct rlimit limit;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int fd = 3; fd < 1024; fd++) {
        if (fd != tell) close(fd);
    }
    if (descriptors > 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = descriptors;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0) return 10;
    }
    if (gale_server_new(&served, config) < 0) return 11;
    if (gale_server_handle(served, handler, NULL) < 0) return 12;
    if (gale_server_listen(served, "http://127.0.0.1:0") < 0) return 13;
    signal(SIGTERM, on_term);
    int port = gale_server_port(served, 0);
    if (write(tell, &port, sizeof port) != sizeof port) return 14;
    close(tell);
    int err = gale_server_run(served);
    gale_server_free(served);
    return err == 0 ? 0 : 15;
}

bool child_start(child_t *child, const gale_config_t *config, const gale_handler_t *handler,
                 unsigned descriptors) {
    int ends[2] = {-1, -1};
    *child = (child_t){0};
    fflush(NULL);
    if (pipe(ends) == 0) child->pid = fork();
    if (child->pid == 0) _exit(serve(ends[1], config, handler, descriptors));
    close(ends[1]);
    bool runs =
        child->pid > 0 && read(ends[0], &child->port, sizeof child->port) == sizeof child->port;
    close(ends[0]);
    if (!runs) test_fail(__FILE__, __LINE__, "the server's process does not run");
    return runs;
}

void child_end(child_t *child) {
    int status = 0;
    kill(child->pid, SIGTERM);
    CHECK_EQ_INT(waitpid(child->pid, &status, 0), child->pid);
    CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the server ended with status %x",
              (unsigned)status);
}

unsigned child_fds(const child_t *child) {
    char path[64];
    unsigned n = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)child->pid);
    DIR *dir = opendir(path);
    if (dir == NULL) return 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

bool child_fds_settle(const child_t *child, unsigned most) {
    for (int i = 0; i < 500 && child_fds(child) > most; i++) usleep(10000);
    return child_fds(child) <= most;
}

/* The file /proc/PID/NAME as text. */
static void read_proc(const child_t *child, const char *name, char *out, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)child->pid, name);
    FILE *file = fopen(path, "r");
    size_t n = file == NULL ? 0 : fread(out, 1, size - 1, file);
    out[n] = '\0';
    if (file != NULL) fclose(file);
}

unsigned child_rss_kb(const child_t *child) {
    char text[4096];
    read_proc(child, "status", text, sizeof text);
    const char *line = strstr(text, "VmRSS:");
    return line == NULL ? 0 : (unsigned)strtoul(line + 6, NULL, 10);
}

unsigned child_cpu_ms(const child_t *child) {
    char text[1024];
    read_proc(child, "stat", text, sizeof text);
    const char *p = strrchr(text, ')');
    unsigned long user = 0, sys = 0;
    if (p == NULL ||
        sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys) != 2) {
        return 0;
    }
    return (unsigned)((user + sys) * 1000 / (unsigned long)sysconf(_SC_CLK_TCK));
}
