/* gale_notify: a word to the service manager (sd_notify(3)). */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "gale.h"

int gale_notify(const char *state) {
    const char *path = getenv("NOTIFY_SOCKET");
    if (path == NULL || *path == '\0') return 0;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (path[0] != '/' && path[0] != '@') return UV_EAFNOSUPPORT; /* a virtual machine's vsock */
    if (len >= sizeof name.sun_path) return UV_ENAMETOOLONG;
    memcpy(name.sun_path, path, len);
    if (path[0] == '@') name.sun_path[0] = '\0';
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    ssize_t sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&name, size);
    int err = sent < 0 ? -errno : 1;
    close(fd);
    return err;
}
