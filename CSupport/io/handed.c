/* Descriptors handed over at the start, as systemd does and anyone may: LISTEN_PID is who they are
 * for, LISTEN_FDS how many there are from 3 on, LISTEN_FDNAMES their names (sd_listen_fds(3)). */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "str.h"

enum { FIRST = 3, MOST = 64 };

/* One bit for each that was taken: whoever comes second must not close the first one's. */
static atomic_ullong taken;

static bool read_number(const char *name, int64_t *value) {
    const char *text = getenv(name);
    return text != NULL && gale__parse_int64(gale_cstr(text), value);
}

/* The next of the names that colons part; "unknown" when there are none, as systemd has it. */
static gale_str_t next_name(const char **names) {
    if (*names == NULL) return GALE__LIT("unknown");
    size_t len = strcspn(*names, ":");
    gale_str_t name = gale_str(*names, len);
    *names += len + ((*names)[len] == ':');
    return name;
}

size_t gale__handed_take(gale_str_t name, int *fds, size_t room) {
    int64_t pid, count;
    size_t found = 0;
    if (!read_number("LISTEN_PID", &pid) || pid != getpid()) return 0;
    if (!read_number("LISTEN_FDS", &count)) return 0;
    if (count > MOST) count = MOST;
    const char *names = getenv("LISTEN_FDNAMES");
    for (int64_t i = 0; i < count && found < room; i++) {
        gale_str_t its = next_name(&names);
        if (name.len > 0 && !gale__eq(name, its)) continue;
        if (atomic_fetch_or(&taken, 1ull << i) >> i & 1) continue;
        fds[found++] = FIRST + (int)i;
    }
    return found;
}
