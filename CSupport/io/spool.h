/*
 * A temporary file that is written as bytes come: by libuv's thread pool, because a disk can block,
 * one write at a time, with the next bytes gathering meanwhile. It has no name where the system can
 * do that (O_TMPFILE), so that not even a crash leaves it behind; else mode 0600 and a random one.
 */
#ifndef GALE_IO_SPOOL_H
#define GALE_IO_SPOOL_H

#include <stdbool.h>
#include <uv.h>

#include "server.h"
#include "worker.h"

typedef struct {
    char *bytes;
    size_t len, cap;
} gale__gathered_t;

typedef struct gale__spool {
    uv_fs_t fs; /* the call that is under way, if any */
    uv_loop_t *loop;
    gale_server_t *server; /* counts what is on disk */
    void (*changed)(void *arg);
    void *arg;
    int fd;
    int err;         /* why writing failed; then all that comes is dropped */
    char *path;      /* where it has a name */
    bool busy;       /* fs is in use */
    bool orphan;     /* nobody wants it any more: it goes as soon as it isn't busy */
    bool flush;      /* no more bytes will come */
    uint64_t size;   /* as far as the server counts it */
    uint64_t offset; /* of the next write */
    gale__gathered_t filling, writing;
    size_t written; /* of `writing` */
    char folder[];
} gale__spool_t;

/* Begins to make a file in `folder`. `changed` is called on the loop when it is no longer full, has
 * been flushed, or has failed. Null without memory. */
gale__spool_t *gale__spool_new(gale_worker_t *w, const char *folder, void (*changed)(void *arg),
                               void *arg);
/* Takes bytes. 0, UV_ENOMEM, or GALE_ELIMIT at the server's limit of disk space. */
int gale__spool_add(gale__spool_t *s, gale_str_t bytes);
/* No more come: what is gathered is written. */
void gale__spool_flush(gale__spool_t *s);
/* So much is gathered that no more should come for now. */
bool gale__spool_full(const gale__spool_t *s);
/* All is written (after gale__spool_flush), or writing has failed. */
bool gale__spool_settled(const gale__spool_t *s);
/* The descriptor becomes the caller's; only when settled. */
int gale__spool_take_fd(gale__spool_t *s);
/* Gives the file a name on the same file system; only when settled. UV_EEXIST, UV_EXDEV ... */
int gale__spool_link(gale__spool_t *s, const char *path);
/* Removes the file, unless it was given a name, and frees; also while it is busy. Null is allowed. */
void gale__spool_free(gale__spool_t *s);

#endif
