/*
 * Static files: gale_files_open, _serve and _free over the public calls of a response (STA-01 ...
 * STA-13).
 *
 * Two guards keep a path inside the folder. core/url_path.c refuses what tries to lead out by its
 * text; here the kernel does the same for what the text cannot show, symlinks: openat2 with
 * RESOLVE_BENEATH resolves the whole path in one call that can't be raced. Where there is no
 * openat2 the path is walked, and no symlink is followed at all.
 *
 * Opening and fstat happen on the loop: names are nearly always cached. Contents may not be, and a
 * disk can block, so a small file is read here only if the kernel has it in memory; everything else
 * goes through gale_resp_file.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_PATH, preadv2 */
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#include "date.h"
#include "etag.h"
#include "exchange.h"
#include "mem.h"
#include "mime.h"
#include "str.h"
#include "url_path.h"
#include "worker.h"

#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

enum {
    SMALL_FILE = 16 * 1024, /* up to here one copy is cheaper than a trip to the thread pool */
    PATH_SIZE = 4096,
    OWN_HEADERS = 5,
    STACK_HEADERS = 24
};

#define INDEX "index.html"

struct gale_files_s {
    int root;
    bool openat2; /* the kernel has it, and no sandbox forbids it */
};

/* --------------------------------------------------------------------------- opening, and staying
 * beneath the root */

/* openat2 that never leaves `root`; gives an fd or minus errno. */
static int open_beneath(int root, const char *path, int flags) {
#ifdef __linux__
    /* Spelled out: the headers of the C library may be older than the kernel. */
    enum { CALL = 437, NO_MAGICLINKS = 0x02, BENEATH = 0x08 };
    struct {
        uint64_t flags, mode, resolve;
    } how = {(uint64_t)flags, 0, BENEATH | NO_MAGICLINKS};
    for (int attempt = 0;; attempt++) {
        long fd = syscall(CALL, root, path, &how, sizeof how);
        if (fd >= 0) return (int)fd;
        /* EAGAIN: a rename elsewhere made the kernel unsure that ".." stayed inside; a symlink may
         * hold one. */
        if ((errno != EAGAIN && errno != EINTR) || attempt >= 16) return -errno;
    }
#else
    (void)root, (void)path, (void)flags;
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
    char copy[PATH_SIZE + sizeof INDEX];
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

/* Opens a normalised path for reading. An fd, or minus the status to answer with. O_NONBLOCK: a
 * FIFO without a writer would hold up the loop for ever; what is not a regular file is then refused
 * by its mode. */
static int open_file(const gale_files_t *files, const char *path, struct stat *st) {
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    int fd = files->openat2 ? open_beneath(files->root, path, flags)
                            : open_walking(files->root, path, flags);
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
    case ELOOP: /* a circle of them, or any when walking */
    case ENXIO: /* a socket */
    case ENODEV:
        return -403;
    default:
        return -500;
    }
}

int gale_files_open(gale_files_t **out, const char *root) {
    *out = NULL;
    int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return uv_translate_sys_error(errno);
    gale_files_t *files = gale__malloc(sizeof *files);
    if (files == NULL) {
        close(fd);
        return UV_ENOMEM;
    }
    /* Asked once, here: inside a sandbox the answer may be EPERM, which would mean something else
     * of a file. */
    int probe = open_beneath(fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (probe >= 0) close(probe);
    *files = (gale_files_t){.root = fd, .openat2 = probe >= 0};
    *out = files;
    return 0;
}

void gale_files_free(gale_files_t *files) {
    if (files == NULL) return;
    close(files->root);
    gale__free(files);
}

/* ------------------------------------------------------------------------------------------- what
 * is said of a file */

typedef struct {
    gale_header_t headers[OWN_HEADERS]; /* the first `kept` of them also go with a 304 */
    size_t count, kept;
    int64_t modified; /* seconds, as Last-Modified has them */
    char etag[64], date[GALE__DATE_LEN];
} about_t;

static bool named(const gale_header_t *headers, size_t count, gale_str_t name) {
    for (size_t i = 0; i < count; i++) {
        if (gale__eq_nocase(headers[i].name, name)) return true;
    }
    return false;
}

/* Whether the query has a parameter `v`: a URL made for one version of a file (STA-04). */
static bool has_version(gale_str_t query) {
    for (size_t i = 0; i + 1 < query.len; i++) {
        if ((i == 0 || query.ptr[i - 1] == '&') && query.ptr[i] == 'v' && query.ptr[i + 1] == '=')
            return true;
    }
    return false;
}

/* The core's header, unless the caller brings one of that name. */
static void add(about_t *a, const gale_header_t *own, size_t count, gale_str_t name,
                gale_str_t value) {
    if (!named(own, count, name)) a->headers[a->count++] = (gale_header_t){name, value};
}

static int64_t modified_ns(const struct stat *st) {
#ifdef __APPLE__
    return (int64_t)st->st_mtimespec.tv_sec * 1000000000 + st->st_mtimespec.tv_nsec;
#else
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
#endif
}

static void describe(about_t *a, const gale_req_t *req, const struct stat *st, gale_str_t name,
                     const gale_header_t *own, size_t count) {
    a->count = 0;
    /* STA-03: no hash to compute. The inode tells apart two files that one rename swaps within a
     * tick of the clock. */
    int len =
        snprintf(a->etag, sizeof a->etag, "\"%llx-%llx-%llx\"", (unsigned long long)st->st_size,
                 (unsigned long long)modified_ns(st), (unsigned long long)st->st_ino);
    add(a, own, count, GALE__LIT("ETag"), gale_str(a->etag, (size_t)len));
    /* Never later than Date (RFC 9110 8.8.2.1). */
    int64_t now = gale__worker_stamp(req->worker)->second;
    a->modified = (int64_t)st->st_mtime < now ? (int64_t)st->st_mtime : now;
    gale__format_date(a->date, a->modified);
    add(a, own, count, GALE__LIT("Last-Modified"), gale_str(a->date, sizeof a->date));
    if (has_version(gale_req_query(req)))
        add(a, own, count, GALE__LIT("Cache-Control"),
            GALE__LIT("public, max-age=31536000, immutable"));
    a->kept = a->count;
    add(a, own, count, GALE__LIT("Content-Type"), gale__mime_type(name));
    add(a, own, count, GALE__LIT("X-Content-Type-Options"), GALE__LIT("nosniff"));
}

/* Whether the client has this version (RFC 9110 13.2.2): If-None-Match alone decides where it is
 * sent (STA-06). */
static bool not_modified(const gale_req_t *req, const about_t *a) {
    const gale_header_t *fields;
    size_t count = gale_req_headers(req, &fields);
    gale_str_t etag = gale_cstr(a->etag);
    bool asked = false;
    for (size_t i = 0; i < count; i++) { /* a list may come in several fields */
        if (!gale__eq_nocase(fields[i].name, GALE__LIT("If-None-Match"))) continue;
        asked = true;
        if (gale__etag_matches(fields[i].value, etag)) return true;
    }
    int64_t since;
    return !asked &&
           gale__parse_date(gale_req_header(req, GALE__LIT("If-Modified-Since")), &since) &&
           a->modified <= since;
}

/* ------------------------------------------------------------------------------------ answering */

/* Reads a whole small file if that takes no disk. */
static bool read_cached(int fd, char *out, size_t size) {
#ifdef RWF_NOWAIT
    struct iovec room = {out, size};
    return size == 0 || preadv2(fd, &room, 1, 0, RWF_NOWAIT) == (ssize_t)size;
#else
    (void)fd, (void)out;
    return size == 0;
#endif
}

/* 200 or 304 with these headers; takes fd. */
static int answer(gale_req_t *req, int fd, const struct stat *st, bool unchanged,
                  const gale_header_t *headers, size_t count) {
    char content[SMALL_FILE];
    size_t size = st->st_size <= SMALL_FILE ? (size_t)st->st_size : 0;
    int result;
    if (unchanged) {
        result = gale_respond(req, 304, headers, count, gale_str(NULL, 0));
    } else if (st->st_size <= SMALL_FILE && !req->head_method && read_cached(fd, content, size)) {
        result = gale_respond(req, 200, headers, count, gale_str(content, size));
    } else { /* HEAD too: Content-Length is that of the file (STA-01) */
        return gale_resp_file(req, 200, headers, count, fd, 0, st->st_size);
    }
    close(fd);
    return result;
}

/* Puts the caller's headers behind the core's and answers; takes fd. */
static int serve_file(gale_req_t *req, int fd, const struct stat *st, gale_str_t name,
                      const gale_header_t *own, size_t own_count) {
    about_t about;
    describe(&about, req, st, name, own, own_count);
    bool unchanged = not_modified(req, &about);
    size_t first = unchanged ? about.kept : about.count, count = first + own_count;
    gale_header_t stack[STACK_HEADERS], *all = stack;
    if (own_count > STACK_HEADERS - OWN_HEADERS) {
        all = own_count < SIZE_MAX / sizeof *all - OWN_HEADERS ? gale__malloc(count * sizeof *all)
                                                               : NULL;
        if (all == NULL) {
            close(fd);
            return UV_ENOMEM;
        }
    }
    memcpy(all, about.headers, first * sizeof *all);
    if (own_count > 0) memcpy(all + first, own, own_count * sizeof *all);
    int result = answer(req, fd, st, unchanged, all, count);
    if (all != stack) gale__free(all);
    return result;
}

/* STA-13: to the same path with a slash, so that relative links in index.html work. A Location that
 * began "//" or "/\" would name another host (CVE-2023-28370). */
static int redirect_to_folder(gale_req_t *req) {
    gale_str_t path = gale_req_path(req), query = gale_req_query(req);
    if (path.len < 2 || path.ptr[0] != '/' || path.ptr[1] == '/' || path.ptr[1] == '\\') return 403;
    size_t size = path.len + 1 + (query.len > 0 ? 1 + query.len : 0);
    char *location = gale__malloc(size), *p = location;
    if (location == NULL) return UV_ENOMEM;
    memcpy(p, path.ptr, path.len);
    p += path.len;
    *p++ = '/';
    if (query.len > 0) {
        *p++ = '?';
        memcpy(p, query.ptr, query.len);
    }
    gale_header_t header = {GALE__LIT("Location"), gale_str(location, size)};
    int result = gale_respond(req, 301, &header, 1, gale_str(NULL, 0));
    gale__free(location);
    return result;
}

static bool ends_with_slash(gale_str_t s) {
    return s.len > 0 && s.ptr[s.len - 1] == '/';
}

int gale_files_serve(gale_files_t *files, gale_req_t *req, gale_str_t path,
                     const gale_header_t *headers, size_t count) {
    char name[PATH_SIZE + sizeof INDEX];
    struct stat st;
    if (!gale__on_loop(req->worker)) return GALE_ETHREAD;
    if (gale_resp_begun(req)) return GALE_ESTATE;
    gale_str_t method = gale_req_method(req);
    if (!gale__eq(method, GALE__LIT("GET")) && !gale__eq(method, GALE__LIT("HEAD"))) return 405;
    int len = gale__path_normalize(path, name, PATH_SIZE);
    if (len < 0) return -len;
    bool folder = len == 0 || name[len - 1] == '/';
    if (folder) memcpy(name + len, INDEX, sizeof INDEX);
    int fd = open_file(files, name, &st);
    if (fd >= 0 && S_ISDIR(st.st_mode) && !folder) {
        close(fd);
        /* A caller may have cut a slash off, or serve a folder under its own name: then there is
         * nothing to add. */
        if (!ends_with_slash(gale_req_path(req))) return redirect_to_folder(req);
        memcpy(name + len, "/" INDEX, sizeof "/" INDEX);
        fd = open_file(files, name, &st);
    }
    if (fd < 0) return -fd;
    if (!S_ISREG(st.st_mode)) {
        close(fd);
        return 403;
    }
    return serve_file(req, fd, &st, gale_cstr(name), headers, count);
}
