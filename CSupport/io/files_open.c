/*
 * Opening a file, and staying beneath the root (STA-10, STA-11).
 *
 * Two guards keep a path inside the folder. core/url_path.c refuses what tries to lead out by its
 * text; here the kernel does the same for what the text cannot show, symlinks: openat2 with
 * RESOLVE_BENEATH resolves the whole path in one call that can't be raced. Where there is no
 * openat2 the path is walked, and no symlink is followed at all.
 *
 * It happens on the loop: names are nearly always cached.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_PATH */
#endif
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#include "files.h"

#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

/* Spelled out: the headers of the C library may be older than the kernel. */
enum { OPENAT2 = 437, NO_MAGICLINKS = 0x02, NO_SYMLINKS = 0x04, BENEATH = 0x08 };

/* openat2 that never leaves `root`; gives an fd or minus errno. */
static int open_beneath(int root, const char *path, int flags, uint64_t resolve) {
#ifdef __linux__
    struct {
        uint64_t flags, mode, resolve;
    } how = {(uint64_t)flags, 0, resolve | BENEATH | NO_MAGICLINKS};
    for (int attempt = 0;; attempt++) {
        long fd = syscall(OPENAT2, root, path, &how, sizeof how);
        if (fd >= 0) return (int)fd;
        /* EAGAIN: a rename elsewhere made the kernel unsure that ".." stayed inside; a symlink may
         * hold one. */
        if ((errno != EAGAIN && errno != EINTR) || attempt >= 16) return -errno;
    }
#else
    (void)root, (void)path, (void)flags, (void)resolve;
    return -ENOSYS;
#endif
}

/* One segment, without following it. A symlink is told by ELOOP, whatever the system says of it. */
static int open_segment(int dir, const char *name, int flags) {
    int fd = openat(dir, name, flags | O_NOFOLLOW);
    if (fd >= 0) return fd;
    int err = errno;
    struct stat st;
    if (err == ENOTDIR && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
        err = ELOOP;
    return -err;
}

/* The same for systems without openat2: segment by segment, each held open until the next is. */
static int open_walking(int root, const char *path, int flags) {
    char copy[GALE__FILES_PATH + GALE__FILES_INDEX];
    size_t len = strlen(path);
    if (len >= sizeof copy) return -ENAMETOOLONG;
    memcpy(copy, path, len + 1);
    int dir = root;
    for (char *name = copy;;) {
        char *slash = strchr(name, '/');
        if (slash != NULL) *slash = '\0';
        bool last = slash == NULL;
        int fd = open_segment(dir, name, last ? flags : O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir != root) close(dir);
        if (last || fd < 0) return fd;
        dir = fd;
        name = slash + 1;
    }
}

static int open_path(const gale_files_t *files, const char *path) {
    /* O_NONBLOCK: a FIFO without a writer would hold up the loop for ever; what is not a regular
     * file is then refused by its mode. */
    const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    if (files->links == GALE__LINKS_ALL) {
        int fd = openat(files->root, path, flags);
        return fd < 0 ? -errno : fd;
    }
    if (!files->openat2) return open_walking(files->root, path, flags);
    return open_beneath(files->root, path, flags,
                        files->links == GALE__LINKS_NONE ? NO_SYMLINKS : 0);
}

int gale__files_open_file(const gale_files_t *files, const char *path, struct stat *st) {
    int fd = open_path(files, path);
    if (fd >= 0) {
        if (fstat(fd, st) == 0) return fd;
        close(fd);
        return -500;
    }
    switch (-fd) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return -404;
    case EACCES: /* no permission */
    case EPERM:
    case EXDEV: /* a symlink that leads out (STA-11) */
    case ELOOP: /* a circle of them, or any where none is followed */
    case ENXIO: /* a socket */
    case ENODEV:
        return -403;
    case EMFILE: /* too many clients at the moment: it will be there again */
    case ENFILE:
    case ENOMEM:
        return -503;
    default:
        return -500;
    }
}

int gale__files_open_root(gale_files_t *files, const char *root) {
    files->root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (files->root < 0) return uv_translate_sys_error(errno);
    /* Asked once, here: inside a sandbox the answer may be EPERM, which would mean something else
     * of a file. */
    int probe = open_beneath(files->root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    if (probe >= 0) close(probe);
    files->openat2 = probe >= 0;
    return 0;
}

int64_t gale__files_modified(const struct stat *st) {
#ifdef __APPLE__
    return (int64_t)st->st_mtimespec.tv_sec * 1000000000 + st->st_mtimespec.tv_nsec;
#else
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
#endif
}
