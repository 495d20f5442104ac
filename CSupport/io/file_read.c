/*
 * preadv2 with RWF_NOWAIT reads from the page cache alone. File systems may refuse it, overlayfs
 * among them, on which containers live: there nothing can be said of what is in memory. tmpfs and
 * ramfs refuse it as well, and have nothing but memory.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* preadv2 */
#endif
#include "file_read.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>
#include <uv.h>
#ifdef __linux__
#include <sys/vfs.h>
#endif

#ifdef RWF_NOWAIT
static int is_in_memory(int fd) {
    static const uint32_t tmpfs = 0x01021994, ramfs = 0x858458f6;
    struct statfs fs;
    return fstatfs(fd, &fs) == 0 && ((uint32_t)fs.f_type == tmpfs || (uint32_t)fs.f_type == ramfs);
}
#endif

long gale__read_now(int fd, void *out, size_t size, uint64_t offset) {
#ifdef RWF_NOWAIT
    struct iovec room = {out, size};
    ssize_t n = preadv2(fd, &room, 1, (off_t)offset, RWF_NOWAIT);
    if (n < 0 && errno == EOPNOTSUPP) {
        if (!is_in_memory(fd)) return UV_ENOTSUP;
        n = pread(fd, out, size, (off_t)offset);
    }
    if (n >= 0) return n;
    return errno == EINTR ? UV_EAGAIN : -errno;
#else
    (void)fd, (void)out, (void)size, (void)offset;
    return UV_ENOTSUP;
#endif
}
