/* Versions of static files (STA-03, STA-04, STA-05): hashes of what is in them, remembered by file
 * and time of change, and shared by all threads. */
#ifndef GALE_IO_FILES_VERSION_H
#define GALE_IO_FILES_VERSION_H

#include "files_cache.h"

/* Hex digits of SHA-256 that make a version. */
enum { GALE__VERSION_LEN = 32 };

/* The version of an open file, without a NUL. `content` may be all of it, or null. A worker's thread
 * never waits for a disk, nor for a long hash: then the thread pool is put to it, and the result is
 * UV_EAGAIN until it is done. w is null on other threads. */
int gale__files_version(gale_files_t *files, gale_worker_t *w, int fd, const struct stat *st,
                        const gale__content_t *content, char out[GALE__VERSION_LEN]);
struct gale__versions *gale__versions_new(void); /* null without memory */
void gale__versions_free(struct gale__versions *v);

#endif
