/* Temporary files, with O_TMPFILE and, compiled a second time, for systems without it. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rig.h"
#include "rig_alloc.h"
#include "spool.h"

#undef O_TMPFILE
#define gale__spool_new named_spool_new
#define gale__spool_add named_spool_add
#define gale__spool_flush named_spool_flush
#define gale__spool_full named_spool_full
#define gale__spool_settled named_spool_settled
#define gale__spool_take_fd named_spool_take_fd
#define gale__spool_link named_spool_link
#define gale__spool_free named_spool_free
gale__spool_t *named_spool_new(gale_worker_t *w, const char *folder, void (*changed)(void *arg),
                               void *arg);
int named_spool_add(gale__spool_t *s, gale_str_t bytes);
void named_spool_flush(gale__spool_t *s);
bool named_spool_full(const gale__spool_t *s);
bool named_spool_settled(const gale__spool_t *s);
int named_spool_take_fd(gale__spool_t *s);
int named_spool_link(gale__spool_t *s, const char *path);
void named_spool_free(gale__spool_t *s);
#include "../../CSupport/io/spool.c" /* NOLINT */
#undef gale__spool_new
#undef gale__spool_add
#undef gale__spool_flush
#undef gale__spool_full
#undef gale__spool_settled
#undef gale__spool_take_fd
#undef gale__spool_link
#undef gale__spool_free

typedef struct {
    gale__spool_t *(*new)(gale_worker_t *w, const char *folder, void (*changed)(void *arg),
                          void *arg);
    int (*add)(gale__spool_t *s, gale_str_t bytes);
    void (*flush)(gale__spool_t *s);
    bool (*full)(const gale__spool_t *s);
    bool (*settled)(const gale__spool_t *s);
    int (*take_fd)(gale__spool_t *s);
    int (*link)(gale__spool_t *s, const char *path);
    void (*free)(gale__spool_t *s);
} kind_t;

static const kind_t kinds[] = {
    {gale__spool_new, gale__spool_add, gale__spool_flush, gale__spool_full, gale__spool_settled,
     gale__spool_take_fd, gale__spool_link, gale__spool_free},
    {named_spool_new, named_spool_add, named_spool_flush, named_spool_full, named_spool_settled,
     named_spool_take_fd, named_spool_link, named_spool_free},
};

typedef struct {
    const kind_t *k;
    rig_t rig;
    gale__spool_t *s;
    unsigned changes, fds;
    char folder[64], path[100];
} bench_t;

static void changed(void *arg) {
    bench_t *b = arg;
    b->changes++;
}

static void begin(bench_t *b, size_t kind) {
    memset(b, 0, sizeof *b);
    b->k = &kinds[kind];
    rig_init(&b->rig);
    rig_open(&b->rig);
    snprintf(b->folder, sizeof b->folder, "/tmp/gale-spool-XXXXXX");
    if (mkdtemp(b->folder) == NULL) abort();
    snprintf(b->path, sizeof b->path, "%s/saved", b->folder);
    b->fds = rig_open_fds();
    b->s = b->k->new (b->rig.worker, b->folder, changed, b);
}

static unsigned files(const bench_t *b) {
    unsigned count = 0;
    DIR *folder = opendir(b->folder);
    for (struct dirent *e; folder != NULL && (e = readdir(folder)) != NULL;) {
        count += e->d_name[0] != '.';
    }
    if (folder != NULL) closedir(folder);
    return count;
}

static void end(bench_t *b) {
    b->k->free(b->s);
    rig_wait(&b->rig, 1);
    for (int i = 0; i < 1000 && rig_open_fds() != b->fds; i++) rig_wait(&b->rig, 1);
    CHECK_EQ_UINT(rig_open_fds(), b->fds);
    rig_close(&b->rig);
    CHECK_EQ_UINT(files(b), 0);
    CHECK(rmdir(b->folder) == 0);
}

static void settle(bench_t *b) {
    for (int i = 0; i < 5000 && !b->k->settled(b->s); i++) rig_wait(&b->rig, 1);
    CHECK(b->k->settled(b->s));
}

static void check_content(int fd, size_t size) {
    char *bytes = malloc(size + 1);
    REQUIRE(bytes != NULL);
    CHECK_EQ_INT(pread(fd, bytes, size + 1, 0), (long long)size);
    CHECK_EQ_MEM(bytes, rig_pattern(size), size);
    free(bytes);
}

TEST(spool, written_in_order) {
    static const size_t pieces[] = {1, 1000, 65535, 65536, 65537, 300000};
    for (size_t i = 0; i < 2 * sizeof pieces / sizeof *pieces; i++) {
        enum { SIZE = 600000 };
        bench_t b;
        begin(&b, i % 2);
        REQUIRE(b.s != NULL);
        size_t step = pieces[i / 2], size = step == 1 ? 1000 : SIZE;
        for (size_t at = 0; at < size; at += step) {
            size_t n = size - at < step ? size - at : step;
            CHECK_EQ_INT(b.k->add(b.s, gale_str(rig_pattern(SIZE) + at, n)), 0);
            CHECK(b.k->full(b.s) == (b.s->filling.len >= 65536));
            while (b.k->full(b.s)) rig_wait(&b.rig, 1);
        }
        CHECK(!b.k->settled(b.s));
        b.k->flush(b.s);
        settle(&b);
        CHECK_EQ_INT(b.s->err, 0);
        CHECK(b.changes > 0 && b.s->filling.bytes == NULL && b.s->writing.bytes == NULL);
        CHECK_EQ_UINT(files(&b), i % 2);
        check_content(b.s->fd, size);
        end(&b);
    }
}

TEST(spool, empty) {
    for (size_t kind = 0; kind < 2; kind++) {
        bench_t b;
        begin(&b, kind);
        b.k->flush(b.s);
        settle(&b);
        check_content(b.s->fd, 0);
        end(&b);
    }
}

TEST(spool, linked) {
    for (size_t kind = 0; kind < 2; kind++) {
        bench_t b;
        struct stat st;
        begin(&b, kind);
        b.k->add(b.s, gale_str(rig_pattern(70000), 70000));
        b.k->flush(b.s);
        settle(&b);
        CHECK_EQ_INT(b.k->link(b.s, b.path), 0);
        CHECK_EQ_INT(b.k->link(b.s, b.path), UV_EEXIST);
        CHECK(stat(b.path, &st) == 0 && st.st_size == 70000 && (st.st_mode & 0777) == 0600);
        CHECK_EQ_INT(unlink(b.path), 0);
        end(&b);
    }
}

TEST(spool, taken) {
    for (size_t kind = 0; kind < 2; kind++) {
        bench_t b;
        begin(&b, kind);
        b.k->add(b.s, gale_str(rig_pattern(10), 10));
        b.k->flush(b.s);
        settle(&b);
        int fd = b.k->take_fd(b.s);
        CHECK_EQ_UINT(files(&b), 0); /* its name is gone */
        check_content(fd, 10);
        close(fd);
        end(&b);
    }
}

TEST(spool, freed_at_any_time) {
    for (unsigned i = 0; i < 24; i++) {
        bench_t b;
        begin(&b, i % 2);
        if (i >= 8) b.k->add(b.s, gale_str(rig_pattern(100000), 100000));
        if (i >= 16) b.k->flush(b.s);
        rig_turn(&b.rig, i / 2 % 4);
        unsigned changes = b.changes;
        b.k->free(b.s);
        b.s = NULL;
        rig_wait(&b.rig, 2);
        CHECK_EQ_UINT(b.changes, changes); /* nobody is told any more */
        end(&b);
    }
}

TEST(spool, no_folder) {
    for (size_t kind = 0; kind < 2; kind++) {
        bench_t b;
        begin(&b, kind);
        b.k->free(b.s);
        b.s = b.k->new (b.rig.worker, "/nowhere/at/all", changed, &b);
        b.k->add(b.s, gale_str("x", 1));
        settle(&b);
        CHECK_EQ_INT(b.s->err, UV_ENOENT);
        CHECK_EQ_INT(b.k->add(b.s, gale_str("x", 1)), 0); /* dropped */
        CHECK(!b.k->full(b.s));
        end(&b);
    }
}

TEST(spool, no_memory) {
    for (size_t kind = 0; kind < 2; kind++) {
        for (unsigned long n = 1; n < 6; n++) {
            bench_t b;
            rig_alloc_begin(n, true);
            rig_alloc_pause(true);
            begin(&b, kind);
            b.k->free(b.s);
            rig_alloc_pause(false);
            b.s = b.k->new (b.rig.worker, b.folder, changed, &b);
            int err = b.s == NULL ? UV_ENOMEM : b.k->add(b.s, gale_str(rig_pattern(70000), 70000));
            if (b.s != NULL) b.k->flush(b.s);
            if (b.s != NULL) settle(&b);
            CHECK(err == UV_ENOMEM || err == 0);
            if (err == 0) CHECK_EQ_INT(b.s->err, 0);
            rig_alloc_pause(true);
            end(&b);
            rig_alloc_end();
        }
    }
}
