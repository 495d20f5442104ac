#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_TMPFILE */
#endif
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

enum { PIECE = 65536 };

static void advance(gale__spool_t *s);

/* ---------------------------------------------------------------------------------------- going */

static void dispose(gale__spool_t *s);

static void on_disposed(uv_fs_t *fs) {
    gale__spool_t *s = fs->data;
    uv_fs_req_cleanup(fs);
    dispose(s);
}

/* Removes the name, closes the file, then frees. The first two are the pool's work as well, since
 * giving back the blocks of a large file takes time; a call that cannot be queued is made here. */
static void dispose(gale__spool_t *s) {
    s->fs.data = s;
    while (s->path != NULL || s->fd >= 0) {
        char *path = s->path;
        int fd = s->fd, err;
        if (path != NULL) {
            s->path = NULL;
            err = uv_fs_unlink(s->loop, &s->fs, path, on_disposed);
            if (err < 0) unlink(path);
            gale__free(path);
        } else {
            s->fd = -1;
            err = uv_fs_close(s->loop, &s->fs, fd, on_disposed);
            if (err < 0) close(fd);
        }
        if (err == 0) return;
    }
    gale__free(s);
}

static void free_pieces(gale__spool_t *s) {
    gale__free(s->filling.bytes);
    gale__free(s->writing.bytes);
    s->filling = s->writing = (gale__gathered_t){0};
}

/* What is on disk is no longer ours to count. */
static void uncount(gale__spool_t *s) {
    atomic_fetch_sub(&s->server->spooled, s->size);
    s->size = 0;
}

void gale__spool_free(gale__spool_t *s) {
    if (s == NULL) return;
    uncount(s);
    s->arg = NULL;
    s->orphan = true;
    if (s->busy) return; /* the pool may be reading a piece */
    free_pieces(s);
    dispose(s);
}

/* -------------------------------------------------------------------------------------- working */

/* A call of the pool has come back. True when there is someone to go on for. */
static bool came_back(gale__spool_t *s, uv_fs_t *fs) {
    uv_fs_req_cleanup(fs);
    s->busy = false;
    if (s->orphan) {
        free_pieces(s);
        dispose(s);
        return false;
    }
    return true;
}

static void tell(gale__spool_t *s) {
    s->changed(s->arg);
}

static void on_named(uv_fs_t *fs) {
    gale__spool_t *s = fs->data;
    if (fs->result >= 0) {
        size_t len = strlen(fs->path) + 1;
        s->fd = (int)fs->result;
        s->path = gale__malloc(len);
        if (s->path != NULL) memcpy(s->path, fs->path, len);
        if (s->path == NULL) unlink(fs->path); /* it works without a name as well */
    } else {
        s->err = (int)fs->result;
    }
    if (!came_back(s, fs)) return;
    advance(s);
    tell(s);
}

static int open_named(gale__spool_t *s) {
    char template[4096];
    int n = snprintf(template, sizeof template, "%s/gale-XXXXXX", s->folder);
    if (n < 0 || (size_t)n >= sizeof template) return UV_ENAMETOOLONG;
    int err = uv_fs_mkstemp(s->loop, &s->fs, template, on_named);
    s->busy = err == 0;
    return err;
}

#ifdef O_TMPFILE
static void on_open(uv_fs_t *fs) {
    gale__spool_t *s = fs->data;
    int result = (int)fs->result;
    if (result >= 0) s->fd = result;
    if (!came_back(s, fs)) return;
    /* What kernels and file systems without O_TMPFILE say. */
    bool unknown =
        result == UV_ENOTSUP || result == UV_EISDIR || result == UV_EINVAL || result == UV_ENOENT;
    if (unknown) result = open_named(s);
    if (result < 0) s->err = result;
    if (s->busy) return;
    advance(s);
    tell(s);
}

static int open_spool(gale__spool_t *s) {
    int err = uv_fs_open(s->loop, &s->fs, s->folder, O_TMPFILE | O_RDWR, 0600, on_open);
    s->busy = err == 0;
    return err;
}
#else
static int open_spool(gale__spool_t *s) {
    return open_named(s);
}
#endif

gale__spool_t *gale__spool_new(gale_worker_t *w, const char *folder, void (*changed)(void *arg),
                               void *arg) {
    size_t len = strlen(folder) + 1;
    gale__spool_t *s = gale__calloc(1, sizeof *s + len);
    if (s == NULL) return NULL;
    memcpy(s->folder, folder, len);
    s->loop = w->loop;
    s->server = w->server;
    s->changed = changed;
    s->arg = arg;
    s->fd = -1;
    s->fs.data = s;
    if (open_spool(s) == 0) return s;
    gale__free(s);
    return NULL;
}

static void on_write(uv_fs_t *fs) {
    gale__spool_t *s = fs->data;
    ssize_t n = fs->result;
    if (n > 0) {
        s->written += (size_t)n;
        s->offset += (uint64_t)n;
    }
    if (!came_back(s, fs)) return;
    if (n <= 0) s->err = n < 0 ? (int)n : UV_EIO;
    advance(s);
    tell(s);
}

static void write_on(gale__spool_t *s) {
    uv_buf_t buf =
        uv_buf_init(s->writing.bytes + s->written, (unsigned)(s->writing.len - s->written));
    int err = uv_fs_write(s->loop, &s->fs, s->fd, &buf, 1, (int64_t)s->offset, on_write);
    s->busy = err == 0;
    if (err < 0) s->err = err;
}

/* Starts the next write, if there is one and nothing is under way. */
static void advance(gale__spool_t *s) {
    if (s->busy || s->fd < 0) return;
    if (s->written == s->writing.len) {
        s->writing.len = s->written = 0;
        if (s->filling.len >= PIECE || (s->flush && s->filling.len > 0)) {
            gale__gathered_t empty = s->writing;
            s->writing = s->filling;
            s->filling = empty;
        }
    }
    if (s->err == 0 && s->written < s->writing.len) write_on(s);
    if (gale__spool_settled(s)) free_pieces(s);
}

static bool make_room(gale__gathered_t *p, size_t more) {
    size_t cap = p->cap == 0 ? PIECE : p->cap;
    while (cap < p->len + more) cap *= 2;
    if (cap == p->cap) return true;
    char *bytes = gale__realloc(p->bytes, cap);
    if (bytes == NULL) return false;
    p->bytes = bytes;
    p->cap = cap;
    return true;
}

int gale__spool_add(gale__spool_t *s, gale_str_t bytes) {
    if (s->err != 0 || bytes.len == 0) return 0;
    uint64_t limit = s->server->config.max_spool_bytes;
    if (atomic_fetch_add(&s->server->spooled, bytes.len) + bytes.len > limit) {
        atomic_fetch_sub(&s->server->spooled, bytes.len);
        return GALE_ELIMIT;
    }
    s->size += bytes.len;
    if (!make_room(&s->filling, bytes.len)) return s->err = UV_ENOMEM;
    memcpy(s->filling.bytes + s->filling.len, bytes.ptr, bytes.len);
    s->filling.len += bytes.len;
    advance(s);
    return 0;
}

void gale__spool_flush(gale__spool_t *s) {
    s->flush = true;
    advance(s);
}

bool gale__spool_full(const gale__spool_t *s) {
    return s->err == 0 && s->filling.len >= PIECE;
}

bool gale__spool_settled(const gale__spool_t *s) {
    if (s->busy) return false;
    return s->err != 0 || (s->flush && s->filling.len == 0 && s->written == s->writing.len);
}

/* -------------------------------------------------------------------------------------- results */

static void drop_name(gale__spool_t *s) {
    if (s->path == NULL) return;
    unlink(s->path);
    gale__free(s->path);
    s->path = NULL;
}

int gale__spool_take_fd(gale__spool_t *s) {
    int fd = s->fd;
    s->fd = -1;
    drop_name(s);
    uncount(s);
    return fd;
}

int gale__spool_link(gale__spool_t *s, const char *path) {
    int err;
    if (s->path != NULL) {
        err = link(s->path, path);
    } else {
        char self[40];
        snprintf(self, sizeof self, "/proc/self/fd/%d", s->fd);
        err = linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
    }
    if (err < 0) return uv_translate_sys_error(errno);
    uncount(s);
    return 0;
}
