#include "files_cache.h"

#include <fcntl.h>
#include <string.h>

#include "file_read.h"
#include "mem.h"

enum {
    BUCKETS = 512,
    MOST_BYTES = 4 << 20,
    QUIET = 2 /* seconds; the coarsest clock of a file system ticks so slowly */
};

struct gale__files_cache {
    uv_check_t check; /* counts turns; closed with the worker's handles */
    gale__files_entry_t *bucket[BUCKETS];
    gale__files_entry_t *newest, *oldest;
    size_t bytes;
};

/* ---------------------------------------------------------------------------------------- identity */

gale__identity_t gale__identity_of(const struct stat *st) {
#ifdef __APPLE__
    struct timespec m = st->st_mtimespec, c = st->st_ctimespec;
#else
    struct timespec m = st->st_mtim, c = st->st_ctim;
#endif
    return (gale__identity_t){(uint64_t)st->st_dev, (uint64_t)st->st_ino, (int64_t)st->st_size,
                              (int64_t)m.tv_sec * 1000000000 + m.tv_nsec,
                              (int64_t)c.tv_sec * 1000000000 + c.tv_nsec};
}

bool gale__identity_same(const gale__identity_t *a, const gale__identity_t *b) {
    return a->inode == b->inode && a->changed == b->changed && a->modified == b->modified &&
           a->size == b->size && a->device == b->device;
}

/* Changes of the last moments may be followed by others that leave the same times. */
static bool is_quiet(gale_worker_t *w, const gale__identity_t *i) {
    int64_t before = (gale__worker_stamp(w)->second - QUIET) * 1000000000;
    return i->changed < before && i->modified < before;
}

static bool look_at_folder(const gale_files_t *files, const gale__files_entry_t *e,
                           gale__identity_t *folder) {
    char path[GALE__FILES_PATH];
    const char *name = e->name;
    size_t len = e->name_len;
    struct stat st;
    while (len > 0 && name[len - 1] != '/') len--;
    if (len >= sizeof path) return false;
    memcpy(path, len > 0 ? name : ".", len > 0 ? len : 1);
    path[len > 0 ? len : 1] = '\0';
    if (fstatat(files->root, path, &st, 0) != 0) return false;
    *folder = gale__identity_of(&st);
    return true;
}

bool gale__files_folder(gale_worker_t *w, const gale_files_t *files, const gale__files_entry_t *e,
                        gale__identity_t *folder) {
    return look_at_folder(files, e, folder) && is_quiet(w, folder);
}

bool gale__files_alone(gale_worker_t *w, const gale_files_t *files, gale__files_entry_t *e) {
    gale__identity_t now;
    if (!e->alone || e->looked_beside == w->turn) return e->alone;
    e->alone = look_at_folder(files, e, &now) && gale__identity_same(&now, &e->folder);
    e->looked_beside = w->turn;
    return e->alone;
}

/* ----------------------------------------------------------------------------------------- content */

static void content_unref(void *arg) {
    gale__content_t *c = arg;
    if (--c->refs == 0) gale__free(c);
}

gale_buf_t gale__content_buf(gale__content_t *c, size_t from, size_t len) {
    c->refs++;
    return (gale_buf_t){c->bytes + from, len, content_unref, c};
}

/* ----------------------------------------------------------------------------------------- entries */

/* FNV-1a. Names are those of files that exist: nobody outside can choose them to collide. */
static uint32_t hash_of(const gale_files_t *files, const char *name, size_t len) {
    uint32_t h = 2166136261u ^ (uint32_t)files->id;
    for (size_t i = 0; i < len; i++) h = (h ^ (uint8_t)name[i]) * 16777619u;
    return h ^ h >> 15;
}

static size_t weight(const gale__files_entry_t *e) {
    return sizeof *e + e->name_len + sizeof *e->content + (size_t)e->st.st_size;
}

static void unlink_use(struct gale__files_cache *cache, gale__files_entry_t *e) {
    *(e->newer != NULL ? &e->newer->older : &cache->newest) = e->older;
    *(e->older != NULL ? &e->older->newer : &cache->oldest) = e->newer;
}

static void link_newest(struct gale__files_cache *cache, gale__files_entry_t *e) {
    e->newer = NULL;
    e->older = cache->newest;
    *(e->older != NULL ? &e->older->newer : &cache->oldest) = e;
    cache->newest = e;
}

static void drop(struct gale__files_cache *cache, gale__files_entry_t *e) {
    gale__files_entry_t **link = &cache->bucket[e->hash % BUCKETS];
    while (*link != e) link = &(*link)->next;
    *link = e->next;
    unlink_use(cache, e);
    cache->bytes -= weight(e);
    gale__files_discard(e);
}

static gale__files_entry_t *find(const struct gale__files_cache *cache, uint64_t files,
                                 uint32_t hash, const char *name, size_t len) {
    gale__files_entry_t *e = cache->bucket[hash % BUCKETS];
    while (e != NULL && (e->hash != hash || e->files != files || e->name_len != len ||
                         memcmp(e->name, name, len) != 0))
        e = e->next;
    return e;
}

static bool is_unchanged(const gale_files_t *files, const gale__files_entry_t *e) {
    struct stat st;
    if (fstatat(files->root, e->name, &st, 0) != 0) return false;
    gale__identity_t now = gale__identity_of(&st), then = gale__identity_of(&e->st);
    return gale__identity_same(&now, &then);
}

gale__files_entry_t *gale__files_cached(gale_worker_t *w, const gale_files_t *files,
                                        const char *name, size_t len, struct stat *st) {
    struct gale__files_cache *cache = w->files_cache;
    if (cache == NULL) return NULL;
    gale__files_entry_t *e = find(cache, files->id, hash_of(files, name, len), name, len);
    if (e == NULL) return NULL;
    if (e->looked != w->turn && !is_unchanged(files, e)) {
        drop(cache, e);
        return NULL;
    }
    e->looked = w->turn;
    *st = e->st;
    unlink_use(cache, e);
    link_newest(cache, e);
    return e;
}

static void on_turn(uv_check_t *check) {
    gale_worker_t *w = check->data;
    w->turn++;
}

static struct gale__files_cache *new_cache(gale_worker_t *w) {
    struct gale__files_cache *cache = gale__calloc(1, sizeof *cache);
    if (cache == NULL) return NULL;
    w->files_cache = cache;
    cache->check.data = w;
    uv_check_init(w->loop, &cache->check); /* these two cannot fail */
    uv_check_start(&cache->check, on_turn);
    uv_unref((uv_handle_t *)&cache->check);
    w->open_handles++;
    return cache;
}

gale__files_entry_t *gale__files_prepare(gale_worker_t *w, const gale__file_keep_t *file) {
    gale__identity_t identity = gale__identity_of(file->st);
    if (identity.size > GALE__CACHED_FILE || !is_quiet(w, &identity)) return NULL;
    if (w->files_cache == NULL && new_cache(w) == NULL) return NULL;
    gale__content_t *content = gale__malloc(sizeof *content + (size_t)identity.size);
    gale__files_entry_t *e = content == NULL ? NULL : gale__malloc(sizeof *e + file->len + 1);
    if (e == NULL) {
        gale__free(content);
        return NULL;
    }
    memset(e, 0, sizeof *e);
    content->refs = 1;
    e->content = content;
    e->files = file->files->id;
    e->hash = hash_of(file->files, file->name, file->len);
    e->name_len = (uint32_t)file->len;
    e->st = *file->st;
    memcpy(e->name, file->name, file->len + 1);
    return e;
}

void gale__files_insert(gale_worker_t *w, gale__files_entry_t *e) {
    struct gale__files_cache *cache = w->files_cache;
    gale__files_entry_t *old = find(cache, e->files, e->hash, e->name, e->name_len);
    if (old != NULL) drop(cache, old); /* two asked for it at a time */
    e->next = cache->bucket[e->hash % BUCKETS];
    cache->bucket[e->hash % BUCKETS] = e;
    link_newest(cache, e);
    cache->bytes += weight(e);
    while (cache->bytes > MOST_BYTES) drop(cache, cache->oldest);
}

void gale__files_discard(gale__files_entry_t *e) {
    content_unref(e->content);
    gale__free(e);
}

gale__files_entry_t *gale__files_keep(gale_worker_t *w, const gale__file_keep_t *file, int fd) {
    gale__files_entry_t *e = gale__files_prepare(w, file);
    if (e == NULL) return NULL;
    size_t size = (size_t)e->st.st_size;
    if (size > 0 && gale__read_now(fd, e->content->bytes, size, 0) != (long)size) {
        gale__files_discard(e);
        return NULL;
    }
    e->looked = w->turn;
    gale__files_insert(w, e);
    return e;
}

void gale__files_cache_close(gale_worker_t *w) {
    if (w->files_cache != NULL)
        uv_close((uv_handle_t *)&w->files_cache->check, gale__worker_handle_closed);
}

void gale__files_cache_free(gale_worker_t *w) {
    struct gale__files_cache *cache = w->files_cache;
    if (cache == NULL) return;
    while (cache->oldest != NULL) drop(cache, cache->oldest);
    gale__free(cache);
    w->files_cache = NULL;
}
