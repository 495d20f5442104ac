#include "files_version.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "file_read.h"
#include "mem.h"
#include "server.h"
#include "sha256.h"

enum {
    PIECE = 64 * 1024,
    AT_ONCE = 256 * 1024, /* a millisecond's work */
    FIRST_SLOTS = 64,
    MOST_SLOTS = 64 * 1024,
    QUIET = 2 /* seconds, as in files_cache.c */
};

typedef struct {
    gale__identity_t identity;
    int64_t made; /* Unix time of the look at the content */
    char version[GALE__VERSION_LEN];
    bool used;
} slot_t;

/* Open addressing by identity; nothing is ever taken out but everything. */
struct gale__versions {
    pthread_mutex_t lock;
    slot_t *slots;
    size_t size, used;
    bool busy; /* a job is under way; one at a time leaves the pool to others */
};

/* ------------------------------------------------------------------------------------------- table */

static size_t place_of(const gale__identity_t *i) {
    uint64_t h = i->inode * 0x9e3779b97f4a7c15u ^ (uint64_t)i->modified;
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93u ^ (uint64_t)i->changed;
    return (size_t)(h ^ h >> 32);
}

static slot_t *probe(slot_t *slots, size_t size, const gale__identity_t *i) {
    size_t at = place_of(i) & (size - 1);
    while (slots[at].used && !gale__identity_same(&slots[at].identity, i))
        at = (at + 1) & (size - 1);
    return &slots[at];
}

/* Room for one more. What stood in a table that can't grow is forgotten: most of it is of files as
 * they once were. */
static bool make_room(struct gale__versions *v) {
    if (v->used < v->size / 4 * 3) return true;
    size_t size = v->size == 0 ? FIRST_SLOTS : v->size * 2;
    if (size > MOST_SLOTS) {
        memset(v->slots, 0, v->size * sizeof *v->slots);
        v->used = 0;
        return true;
    }
    slot_t *slots = gale__calloc(size, sizeof *slots);
    if (slots == NULL) return false;
    for (size_t i = 0; i < v->size; i++) {
        if (v->slots[i].used) *probe(slots, size, &v->slots[i].identity) = v->slots[i];
    }
    gale__free(v->slots);
    v->slots = slots;
    v->size = size;
    return true;
}

/* A hash made just after a change counts until the clock has surely ticked, then it is made again:
 * another change may have left the same time. */
static bool is_settled(const slot_t *s, int64_t now) {
    int64_t quiet = s->identity.changed / 1000000000 + QUIET;
    return s->made > quiet || now <= quiet;
}

static bool find_known(struct gale__versions *v, const gale__identity_t *i, char *out) {
    bool known = false;
    pthread_mutex_lock(&v->lock);
    slot_t *s = v->size > 0 ? probe(v->slots, v->size, i) : NULL;
    if (s != NULL && s->used) {
        known = is_settled(s, (int64_t)time(NULL));
        if (known) memcpy(out, s->version, GALE__VERSION_LEN);
    }
    pthread_mutex_unlock(&v->lock);
    return known;
}

static void remember(struct gale__versions *v, const gale__identity_t *i, const char *version,
                     int64_t made) {
    pthread_mutex_lock(&v->lock);
    if (make_room(v)) {
        slot_t *s = probe(v->slots, v->size, i);
        if (!s->used) v->used++;
        *s = (slot_t){.identity = *i, .made = made, .used = true};
        memcpy(s->version, version, GALE__VERSION_LEN);
    }
    pthread_mutex_unlock(&v->lock);
}

struct gale__versions *gale__versions_new(void) {
    struct gale__versions *v = gale__calloc(1, sizeof *v);
    if (v != NULL && pthread_mutex_init(&v->lock, NULL) != 0) {
        gale__free(v);
        v = NULL;
    }
    return v;
}

void gale__versions_free(struct gale__versions *v) {
    if (v == NULL) return;
    pthread_mutex_destroy(&v->lock);
    gale__free(v->slots);
    gale__free(v);
}

/* ----------------------------------------------------------------------------------------- hashing */

static void write_version(gale__sha256_t *sha, char *out) {
    uint8_t digest[32];
    gale__sha256_end(sha, digest);
    for (size_t i = 0; i < GALE__VERSION_LEN; i++)
        out[i] = "0123456789abcdef"[digest[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15];
}

/* A piece; with `at_once` only if it takes no disk. */
static long read_piece(int fd, char *piece, uint64_t at, bool at_once) {
    long n;
    if (at_once) {
        n = gale__read_now(fd, piece, PIECE, at);
        return n == UV_ENOTSUP ? UV_EAGAIN : n;
    }
    do {
        n = pread(fd, piece, PIECE, (off_t)at);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* Hashes to the end; 0, or an error. `stops`: give up when it is another than `before`. */
static int hash_file(int fd, char *version, bool at_once, const atomic_uint *stops,
                     unsigned before) {
    char *piece = gale__malloc(PIECE);
    if (piece == NULL) return UV_ENOMEM;
    gale__sha256_t sha;
    gale__sha256_init(&sha);
    long n;
    for (uint64_t at = 0; (n = read_piece(fd, piece, at, at_once)) > 0; at += (uint64_t)n) {
        gale__sha256_add(&sha, piece, (size_t)n);
        if (stops != NULL && atomic_load(stops) != before) {
            n = UV_ECANCELED;
            break;
        }
    }
    gale__free(piece);
    if (n < 0) return (int)n;
    write_version(&sha, version);
    return 0;
}

/* ------------------------------------------------------------------------------------- in the pool */

typedef struct {
    uv_work_t work;
    struct gale__versions *versions;
    gale_worker_t *worker;
    gale__identity_t identity;
    int64_t made;
    int fd, result;
    unsigned stops; /* of the server when it was queued: the pool may come to it after a stop */
    char version[GALE__VERSION_LEN];
} job_t;

static void on_work(uv_work_t *work) {
    job_t *j = work->data;
    j->made = (int64_t)time(NULL);
    j->result = hash_file(j->fd, j->version, false, &j->worker->server->stops, j->stops);
}

static void on_worked(uv_work_t *work, int status) {
    job_t *j = work->data;
    gale_worker_t *w = j->worker;
    if (status == 0 && j->result == 0) remember(j->versions, &j->identity, j->version, j->made);
    pthread_mutex_lock(&j->versions->lock);
    j->versions->busy = false;
    pthread_mutex_unlock(&j->versions->lock);
    close(j->fd);
    gale__free(j);
    w->open_handles--;
    gale__worker_check_stopped(w);
}

/* Starts a job unless one is under way. The worker does not end before it. */
static void hash_later(struct gale__versions *v, gale_worker_t *w, int fd,
                       const gale__identity_t *identity) {
    pthread_mutex_lock(&v->lock);
    bool go = !v->busy;
    v->busy = true;
    pthread_mutex_unlock(&v->lock);
    if (!go) return;
    job_t *j = gale__malloc(sizeof *j);
    if (j != NULL) {
        *j = (job_t){.versions = v, .worker = w, .identity = *identity};
        j->work.data = j;
        j->stops = atomic_load(&w->server->stops);
        j->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (j->fd >= 0 && uv_queue_work(w->loop, &j->work, on_work, on_worked) == 0) {
            w->open_handles++;
            return;
        }
        if (j->fd >= 0) close(j->fd);
        gale__free(j);
    }
    pthread_mutex_lock(&v->lock);
    v->busy = false;
    pthread_mutex_unlock(&v->lock);
}

int gale__files_version(gale_files_t *files, gale_worker_t *w, int fd, const struct stat *st,
                        const gale__content_t *content, char out[GALE__VERSION_LEN]) {
    struct gale__versions *v = files->versions;
    gale__identity_t identity = gale__identity_of(st);
    if (find_known(v, &identity, out)) return 0;
    int64_t made = (int64_t)time(NULL);
    int err = 0;
    if (content != NULL) {
        gale__sha256_t sha;
        gale__sha256_init(&sha);
        gale__sha256_add(&sha, content->bytes, (size_t)st->st_size);
        write_version(&sha, out);
    } else if (w == NULL) {
        err = hash_file(fd, out, false, NULL, 0);
    } else {
        err = st->st_size <= AT_ONCE ? hash_file(fd, out, true, NULL, 0) : UV_EAGAIN;
        if (err == UV_EAGAIN) hash_later(v, w, fd, &identity);
    }
    if (err == 0) remember(v, &identity, out, made);
    return err;
}
