/* A folder whose files are served: what gale_files_open makes, and how a file in it is opened. */
#ifndef GALE_IO_FILES_H
#define GALE_IO_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "gale.h"

enum { GALE__FILES_PATH = 4096, GALE__FILES_INDEX = 256 };

/* Symlinks that are followed. */
enum { GALE__LINKS_INSIDE, GALE__LINKS_ALL, GALE__LINKS_NONE };

struct gale_files_s {
    uint64_t id; /* of no other, ever */
    int root;
    bool openat2; /* the kernel has it, and no sandbox forbids it */
    uint8_t links;
    bool dotfiles, precompressed;
    char index[GALE__FILES_INDEX]; /* empty: none */
    char *cache_control;           /* null: none */
    uint32_t max_age;              /* of URLs with a version */
    char version_control[48];      /* their Cache-Control */
    struct gale__versions *versions;
};

/* What gale.h says of gale_files_*. */
int gale__files_new(gale_files_t **out, const char *root, const gale_files_config_t *config);
void gale__files_free(gale_files_t *files);
int gale__files_serve(gale_files_t *files, gale_req_t *req, gale_str_t path,
                      const gale_header_t *headers, size_t count);
int gale__files_path_version(gale_files_t *files, gale_str_t path, char *out);

/* Opens the root; 0 or a libuv code. */
int gale__files_open_root(gale_files_t *files, const char *root);
/* Opens a normalised path for reading: an fd, or minus the status to answer with. */
int gale__files_open_file(const gale_files_t *files, const char *path, struct stat *st);

/* Time of the last change in nanoseconds. */
int64_t gale__files_modified(const struct stat *st);

#endif
