/*
 * Small files that a worker has sent lately, in its memory: what is asked for again costs one look
 * at the name in place of opening, reading and closing.
 *
 * An entry holds for a file, not for a time: whoever finds one looks the name up (stat) and takes it
 * only if device, inode, size and both times are what they were. One look is good for the requests
 * that are answered in the same turn of the loop, which were there before or came meanwhile. And
 * since a clock ticks more slowly than a file can change, nothing is kept of what changed just now.
 * Loop only, nothing is locked.
 */
#ifndef GALE_IO_FILES_CACHE_H
#define GALE_IO_FILES_CACHE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "files.h"
#include "worker.h"

enum { GALE__CACHED_FILE = 64 * 1024 /* the largest */ };

/* Bytes of a file, counted: answers that wait for slow clients hold them, too. */
typedef struct {
    uint32_t refs;
    char bytes[];
} gale__content_t;

/* What tells that a file or folder is still the same. */
typedef struct {
    uint64_t device, inode;
    int64_t size, modified, changed; /* times in nanoseconds */
} gale__identity_t;

gale__identity_t gale__identity_of(const struct stat *st);
bool gale__identity_same(const gale__identity_t *a, const gale__identity_t *b);

typedef struct gale__files_entry {
    struct gale__files_entry *newer, *older; /* by use */
    struct gale__files_entry *next;          /* in its bucket */
    uint64_t files;                          /* id of the folder it is of */
    uint32_t hash, name_len;
    uint64_t looked,
        looked_beside; /* turns in which the file, and its folder, were last looked at */
    struct stat st;
    gale__identity_t folder; /* where it has no siblings for as long as this is the same */
    bool alone;
    gale__content_t *content;
    char name[];
} gale__files_entry_t;

/* A file that could be kept. */
typedef struct {
    const gale_files_t *files;
    const char *name;
    size_t len;
    const struct stat *st;
} gale__file_keep_t;

/* The entry of a name, if its file is unchanged; *st is then the file's. */
gale__files_entry_t *gale__files_cached(gale_worker_t *w, const gale_files_t *files,
                                        const char *name, size_t len, struct stat *st);
/* Keeps an open file, if it is small, in the system's memory, and has not changed just now; null
 * else. */
gale__files_entry_t *gale__files_keep(gale_worker_t *w, const gale__file_keep_t *file, int fd);
/* The same in two steps: an entry with room for the content, null if the file can't be kept; and
 * when that is there, the entry is either put to the others or freed. */
gale__files_entry_t *gale__files_prepare(gale_worker_t *w, const gale__file_keep_t *file);
void gale__files_insert(gale_worker_t *w, gale__files_entry_t *e);
void gale__files_discard(gale__files_entry_t *e);
/* Whether nothing changed in the folder of an entry since it was found to have no siblings. */
bool gale__files_alone(gale_worker_t *w, const gale_files_t *files, gale__files_entry_t *e);
/* Identity of the folder of an entry, to be asked before looking for siblings; false when it can't
 * be relied on. */
bool gale__files_folder(gale_worker_t *w, const gale_files_t *files, const gale__files_entry_t *e,
                        gale__identity_t *folder);
/* With the worker's own handles, and with its memory. */
void gale__files_cache_close(gale_worker_t *w);
void gale__files_cache_free(gale_worker_t *w);

/* A count on the content as an owned buffer of these bytes of it. */
gale_buf_t gale__content_buf(gale__content_t *c, size_t from, size_t len);

#endif
