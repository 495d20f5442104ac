/* gale_notify: a word to the service manager. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "test.h"

static int manager(const char *path) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    memcpy(name.sun_path, path, len);
    if (path[0] == '@') name.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&name, size) == 0);
    return fd;
}

TEST(notify, says_it_to_the_socket) {
    char path[64], abstract[64];
    snprintf(path, sizeof path, "/tmp/gale-notify-%d", (int)getpid());
    snprintf(abstract, sizeof abstract, "@gale-notify-%d", (int)getpid());
    unlink(path);
    for (int way = 0; way < 2; way++) {
        char got[64] = "";
        int fd = manager(way == 0 ? path : abstract);
        setenv("NOTIFY_SOCKET", way == 0 ? path : abstract, 1);
        CHECK_EQ_INT(gale_notify("READY=1\nSTATUS=well"), 1);
        ssize_t n = recv(fd, got, sizeof got, MSG_DONTWAIT);
        CHECK_EQ_STRS(gale_str(got, n < 0 ? 0 : (size_t)n), gale_cstr("READY=1\nSTATUS=well"));
        close(fd);
    }
    unlink(path);
    unsetenv("NOTIFY_SOCKET");
}

TEST(notify, nobody_wants_to_know) {
    char path[200];
    unsetenv("NOTIFY_SOCKET");
    CHECK_EQ_INT(gale_notify("READY=1"), 0);
    setenv("NOTIFY_SOCKET", "", 1);
    CHECK_EQ_INT(gale_notify("READY=1"), 0);
    setenv("NOTIFY_SOCKET", "/no/such/socket", 1);
    CHECK_EQ_INT(gale_notify("READY=1"), UV_ENOENT);
    setenv("NOTIFY_SOCKET", "vsock:2:1", 1);
    CHECK_EQ_INT(gale_notify("READY=1"), UV_EAFNOSUPPORT);
    memset(path, '/', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    setenv("NOTIFY_SOCKET", path, 1);
    CHECK_EQ_INT(gale_notify("READY=1"), UV_ENAMETOOLONG);
    unsetenv("NOTIFY_SOCKET");
}
