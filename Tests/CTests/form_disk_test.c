/*
 * Files of forms on disk: what is written, with how much in memory, what remains when the client
 * leaves or the disk does not want any more (HU-18). rig_form_close sees every file and descriptor
 * that is left behind.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "form.h"
#include "rig_alloc.h"
#include "rig_form.h"

#define S(text) gale_str(text, sizeof(text) - 1)
#define HEAD RIG_FORM_B "a\r\n\r\none\r\n" RIG_FORM_B "f; filename=x\r\n\r\n"

enum { SIZE = 1 << 20 };

/* A form with a field `a` and a file `f` of so many bytes of the pattern. */
static gale_str_t upload(size_t size) {
    static rig_text_t body;
    rig_text_clear(&body);
    rig_text_addf(&body, HEAD);
    rig_text_add(&body, gale_str(rig_pattern(size), size));
    rig_text_addf(&body, RIG_FORM_END);
    return rig_form_request("multipart/form-data; boundary=1234", gale_str(body.text, body.len));
}

static void check_file(int fd, size_t size) {
    char *bytes = malloc(size + 2);
    REQUIRE(bytes != NULL && fd >= 0);
    CHECK_EQ_INT(pread(fd, bytes, size + 2, 0), (long long)size);
    CHECK_EQ_MEM(bytes, rig_pattern(size), size);
    CHECK_EQ_INT(lseek(fd, 0, SEEK_CUR), 0);
    struct stat st;
    CHECK(fstat(fd, &st) == 0 && (st.st_mode & 0777) == 0600);
    CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    free(bytes);
}

static size_t expected; /* bytes of the file */

static void check_on_disk(rig_form_t *t, int status) {
    CHECK_EQ_INT(status, GALE_OK);
    gale_part_t *f = gale_form_file(t->form, S("f"));
    REQUIRE(f != NULL);
    CHECK_EQ_UINT(gale_part_size(f), expected);
    CHECK(gale_part_bytes(f).ptr == NULL);
    check_file(gale_part_fd(f), expected);
    CHECK_EQ_STR(gale_form_value(t->form, S("a")), "one");
}

static void check_in_memory(rig_form_t *t, int status) {
    CHECK_EQ_INT(status, GALE_OK);
    gale_part_t *f = gale_form_file(t->form, S("f"));
    REQUIRE(f != NULL);
    CHECK_EQ_INT(gale_part_fd(f), -1);
    CHECK_EQ_STRS(gale_part_bytes(f), gale_str(rig_pattern(expected), expected));
    CHECK(gale_part_bytes(f).ptr != NULL);
}

/* Sets up with the limits an upload needs. */
static void begin(rig_form_t *t) {
    rig_form_init(t, true);
    t->handler.max_bytes = 64 << 20;
    t->rig.keep_log = false;
}

static int send_and_wait(rig_form_t *t, gale_str_t request) {
    rig_client_t client;
    rig_connect(&t->rig, &client);
    for (size_t at = 0; at < request.len; at += 65536) {
        size_t n = request.len - at < 65536 ? request.len - at : 65536;
        rig_send_bytes(&client, request.ptr + at, n);
    }
    CHECK(rig_until(&t->rig, &t->rig.dones, 1, 20000));
    rig_turn(&t->rig, 3);
    int status = rig_status_of(rig_take(&client));
    rig_drop(&t->rig, &client);
    return status;
}

TEST(form_disk, sizes_HU_18) {
    static const struct {
        size_t size;
        uint32_t memory, always;
        bool disk;
    } rows[] = {
        {0, 0, 0, false},         {0, 0, 1, true},      {1, 0, 1, true},
        {65536, 0, 0, false},     {65537, 0, 0, true},  {100, 99, 0, true},
        {100, 100, 0, false},     {SIZE, 0, 0, true},   {SIZE, 1, 0, true},
        {SIZE, SIZE, 0, false},   {131072, 0, 1, true}, {131071, 1, 0, true},
        {9 << 20, 4096, 0, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rig_form_t t;
        begin(&t);
        t.handler.memory_bytes = rows[i].memory;
        t.handler.always_disk = rows[i].always;
        t.on_end = rows[i].disk ? check_on_disk : check_in_memory;
        expected = rows[i].size;
        rig_open(&t.rig);
        CHECK_EQ_INT(send_and_wait(&t, upload(rows[i].size)), 200);
        CHECK_EQ_UINT(t.ends, 1);
        rig_form_close(&t);
    }
}

/* Body collected by the server first: the same, without a copy of it. */
TEST(form_disk, of_a_collected_body) {
    rig_form_t t;
    rig_form_init(&t, false);
    t.rig.config.max_body_bytes = 64 << 20;
    t.on_end = check_on_disk;
    expected = 5 << 20;
    rig_open(&t.rig);
    CHECK_EQ_INT(send_and_wait(&t, upload(expected)), 200);
    rig_form_close(&t);
}

/* Several files; memory is counted over all of them, and no two are mixed up. */
static void check_many(rig_form_t *t, int status) {
    CHECK_EQ_INT(status, GALE_OK);
    unsigned count = 0, disk = 0;
    for (gale_part_t *p = NULL; (p = gale_form_next(t->form, p)) != NULL; count++) {
        char name[16];
        size_t size = 1000 * (count + 1), at = 0;
        CHECK_EQ_STRS(gale_part_name(p),
                      gale_str(name, (size_t)snprintf(name, sizeof name, "f%u", count)));
        char *bytes = malloc(size);
        REQUIRE(bytes != NULL);
        if (gale_part_fd(p) >= 0) {
            disk++;
            CHECK_EQ_INT(pread(gale_part_fd(p), bytes, size, 0), (long long)size);
        } else {
            memcpy(bytes, gale_part_bytes(p).ptr, size);
        }
        while (at < size && bytes[at] == (char)('a' + count)) at++;
        CHECK_EQ_UINT(at, size);
        free(bytes);
    }
    CHECK_EQ_UINT(count, 20);
    CHECK_EQ_UINT(disk, 18); /* 1000 + 2000 fit, 3000 more don't */
}

TEST(form_disk, many_files) {
    rig_form_t t;
    rig_text_t body = {0};
    char fill[20000];
    begin(&t);
    t.handler.memory_bytes = 5000;
    t.on_end = check_many;
    for (unsigned i = 0; i < 20; i++) {
        memset(fill, (int)('a' + i), sizeof fill);
        rig_text_addf(&body,
                      "%s--1234\r\nContent-Disposition: form-data; name=f%u; filename=x\r\n\r\n",
                      i > 0 ? "\r\n" : "", i);
        rig_text_add(&body, gale_str(fill, 1000 * (i + 1)));
    }
    rig_text_addf(&body, RIG_FORM_END);
    rig_open(&t.rig);
    CHECK_EQ_INT(send_and_wait(&t, rig_form_request("multipart/form-data; boundary=1234",
                                                    gale_str(body.text, body.len))),
                 200);
    rig_text_free(&body);
    rig_form_close(&t);
}

/* ---------------------------------------------------------------------------------- taking them */

static int taken = -1;

static void take(rig_form_t *t, int status) {
    CHECK_EQ_INT(status, GALE_OK);
    gale_part_t *f = gale_form_file(t->form, S("f"));
    REQUIRE(f != NULL);
    taken = gale_part_take_fd(f);
    CHECK_EQ_INT(gale_part_take_fd(f), UV_ENOENT);
    CHECK_EQ_INT(gale_part_fd(f), -1);
    CHECK_EQ_INT(gale_part_save(f, "/tmp/never"), GALE_ESTATE);
}

TEST(form_disk, taken) {
    rig_form_t t;
    begin(&t);
    t.on_end = take;
    rig_open(&t.rig);
    CHECK_EQ_INT(send_and_wait(&t, upload(SIZE)), 200);
    check_file(taken, SIZE);
    close(taken);
    rig_form_close(&t);
}

static void save_at_end(rig_form_t *t, gale_part_t *part) {
    char path[200];
    if (gale_part_filename(part).len == 0) return;
    snprintf(path, sizeof path, "%s/saved", t->folder);
    CHECK_EQ_INT(gale_part_save(part, path), 0);
    CHECK_EQ_INT(gale_part_save(part, path), UV_EEXIST);
    CHECK_EQ_INT(gale_part_save(part, "/nowhere/at/all"), UV_ENOENT);
}

static void save_too_early(rig_form_t *t, gale_part_t *part) {
    (void)t;
    CHECK_EQ_INT(gale_part_save(part, "/tmp/never"), GALE_ESTATE);
    CHECK_EQ_INT(gale_part_fd(part), -1);
    CHECK_EQ_INT(gale_part_take_fd(part), UV_ENOENT);
}

TEST(form_disk, saved) {
    for (int i = 0; i < 3; i++) { /* from disk, from memory, an empty one */
        rig_form_t t;
        char path[200];
        begin(&t);
        t.handler.memory_bytes = i == 0 ? 1 : SIZE;
        t.on_part = save_too_early;
        t.on_part_end = save_at_end;
        rig_open(&t.rig);
        size_t size = i == 2 ? 0 : SIZE;
        CHECK_EQ_INT(send_and_wait(&t, upload(size)), 200);
        CHECK_EQ_UINT(rig_form_files(&t), 1); /* and nothing but it */
        snprintf(path, sizeof path, "%s/saved", t.folder);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        check_file(fd, size);
        close(fd);
        CHECK(unlink(path) == 0);
        rig_form_close(&t);
    }
}

/* ----------------------------------------------------------------------------------- with less */

TEST(form_disk, a_client_faster_than_the_disk_HU_18) {
    rig_form_t t;
    rig_client_t client;
    begin(&t);
    t.on_end = check_on_disk;
    expected = 16 << 20;
    rig_open(&t.rig);
    rig_connect(&t.rig, &client);
    gale_str_t request = upload(expected);
    size_t most = 0;
    for (size_t at = 0; at < request.len; at += 65536) {
        size_t n = request.len - at < 65536 ? request.len - at : 65536;
        rig_send_bytes(&client, request.ptr + at, n);
        rig_turn(&t.rig, 1);
        const gale_part_t *p = t.form == NULL ? NULL : t.form->part;
        if (p == NULL || p->spool == NULL) continue;
        size_t here = p->spool->filling.len + p->spool->writing.len + t.form->rest.len;
        if (here > most) most = here;
    }
    CHECK(most > 0 && most <= 5 * 65536);
    CHECK(rig_until(&t.rig, &t.rig.dones, 1, 20000));
    CHECK_EQ_UINT(t.ends, 1);
    rig_drop(&t.rig, &client);
    rig_form_close(&t);
}

static void stop_reading(rig_form_t *t, gale_part_t *part, gale_str_t bytes) {
    (void)bytes;
    if (gale_part_filename(part).len == 0) return;
    gale_req_pause(gale_form_req(t->form));
}

/* The handler's pause and the disk's are two: neither ends the other. */
TEST(form_disk, paused_by_both) {
    rig_form_t t;
    rig_client_t client;
    begin(&t);
    t.handler.always_disk = 1;
    t.on_data = stop_reading;
    t.on_end = check_on_disk;
    expected = 400000;
    rig_open(&t.rig);
    rig_connect(&t.rig, &client);
    gale_str_t request = upload(expected);
    for (size_t at = 0; at < request.len; at += 50000) {
        rig_send_bytes(&client, request.ptr + at,
                       request.len - at < 50000 ? request.len - at : 50000);
    }
    unsigned before = 0, resumes = 0;
    while (t.rig.dones == 0 && resumes < 1000) {
        for (int i = 0; i < 5000 && t.datas == before && t.rig.dones == 0; i++) rig_wait(&t.rig, 1);
        before = t.datas;
        rig_wait(&t.rig, 3); /* whatever the disk does meanwhile */
        CHECK_EQ_UINT(t.datas, before);
        if (t.rig.req != NULL) gale_req_resume(t.rig.req);
        resumes++;
    }
    CHECK(resumes >= 8 && t.rig.dones == 1);
    rig_drop(&t.rig, &client);
    rig_form_close(&t);
}

TEST(form_disk, the_client_leaves_HU_18) {
    static const size_t at[] = {0, 1, 100, 65536, 70000, 200000, 500000, SIZE - 100000};
    for (size_t i = 0; i < 4 * sizeof at / sizeof *at; i++) {
        rig_form_t t;
        rig_client_t client;
        begin(&t);
        t.handler.memory_bytes = 1;
        rig_open(&t.rig);
        rig_connect(&t.rig, &client);
        gale_str_t request = upload(SIZE);
        size_t end = request.len - SIZE + at[i / 4];
        for (size_t k = 0; k < end; k += 60000) {
            rig_send_bytes(&client, request.ptr + k, end - k < 60000 ? end - k : 60000);
            rig_turn(&t.rig, (unsigned)(i % 4));
        }
        if (i % 4 == 3) rig_wait(&t.rig, 2);
        rig_drop(&t.rig, &client); /* with a call to the disk under way, or none */
        CHECK_EQ_INT(t.status, GALE_EGONE);
        CHECK_EQ_UINT(t.ends, 1);
        rig_form_close(&t);
    }
}

/* The server is freed under an upload. */
TEST(form_disk, the_server_goes) {
    for (unsigned turns = 0; turns < 4; turns++) {
        rig_form_t t;
        rig_client_t client;
        begin(&t);
        t.handler.always_disk = 1;
        rig_open(&t.rig);
        rig_connect(&t.rig, &client);
        gale_str_t request = upload(SIZE);
        rig_send_bytes(&client, request.ptr, 300000);
        rig_turn(&t.rig, turns);
        rig_form_close(&t);
        CHECK_EQ_UINT(t.ends, 1);
        rig_text_free(&client.out);
    }
}

static void refuse_the_file(rig_form_t *t, gale_part_t *part, gale_str_t bytes) {
    (void)bytes;
    if (gale_part_size(part) > 200000 && !gale_resp_begun(gale_form_req(t->form))) {
        CHECK_EQ_INT(gale_respond_text(gale_form_req(t->form), 415, "no"), 0);
    }
}

TEST(form_disk, answered_meanwhile) {
    rig_form_t t;
    begin(&t);
    t.handler.always_disk = 1;
    t.on_data = refuse_the_file;
    rig_open(&t.rig);
    CHECK_EQ_INT(send_and_wait(&t, upload(SIZE)), 415);
    CHECK_EQ_INT(t.status, GALE_EABORTED);
    rig_form_close(&t);
}

/* ------------------------------------------------------------------------------------- failing */

TEST(form_disk, no_such_folder) {
    rig_form_t t;
    begin(&t);
    t.handler.folder = "/nowhere/at/all";
    rig_open(&t.rig);
    CHECK_EQ_INT(send_and_wait(&t, upload(SIZE)), 500);
    CHECK_EQ_INT(t.status, UV_ENOENT);
    CHECK_EQ_STRS(gale_cstr(t.error), S("the file could not be stored"));
    rig_form_close(&t);
}

/* The file behind the descriptor is swapped for one that is always full. */
static void fill_up(rig_form_t *t, gale_part_t *part, gale_str_t bytes) {
    (void)bytes;
    if (part->spool == NULL || part->spool->fd < 0 || t->datas < 4) return;
    int full = open("/dev/full", O_RDWR | O_CLOEXEC);
    CHECK(dup2(full, part->spool->fd) >= 0);
    close(full);
    t->on_data = NULL;
}

TEST(form_disk, full_disk) {
    rig_form_t t;
    rig_client_t client;
    begin(&t);
    t.on_data = fill_up;
    rig_open(&t.rig);
    rig_connect(&t.rig, &client);
    gale_str_t request = upload(SIZE);
    for (size_t k = 0; k < request.len; k += 60000) {
        rig_send_bytes(&client, request.ptr + k, request.len - k < 60000 ? request.len - k : 60000);
        rig_wait(&t.rig, 1);
    }
    CHECK(rig_until(&t.rig, &t.rig.dones, 1, 5000));
    CHECK_EQ_INT(t.status, UV_ENOSPC);
    CHECK_EQ_INT(rig_status_of(rig_take(&client)), 500);
    rig_drop(&t.rig, &client);
    rig_form_close(&t);
}

/* All clients together (config.max_spool_bytes); what one has given back another can have. */
TEST(form_disk, limit_of_the_server) {
    rig_form_t t;
    begin(&t);
    t.rig.config.max_spool_bytes = SIZE;
    t.handler.memory_bytes = 1;
    rig_open(&t.rig);
    for (unsigned i = 0; i < 3; i++) {
        t.rig.dones = t.rig.requests = 0;
        CHECK_EQ_INT(send_and_wait(&t, upload(SIZE)), 200);
    }
    t.rig.dones = t.rig.requests = 0;
    CHECK_EQ_INT(send_and_wait(&t, upload(SIZE + 1)), 503);
    CHECK_EQ_INT(t.status, GALE_ELIMIT);
    t.rig.dones = t.rig.requests = 0;
    CHECK_EQ_INT(send_and_wait(&t, upload(SIZE)), 200);
    rig_form_close(&t);
}

TEST(form_disk, no_memory) {
    for (int sticky = 0; sticky <= 1; sticky++) {
        bool all = false;
        for (unsigned long n = 1; n < 80 && !all; n++) {
            rig_form_t t;
            rig_client_t client;
            rig_alloc_begin(n, sticky != 0);
            rig_alloc_pause(true);
            begin(&t);
            t.handler.memory_bytes = 1000;
            rig_open(&t.rig);
            rig_connect(&t.rig, &client);
            gale_str_t request = upload(300000);
            rig_alloc_pause(false);
            int sent = 0; /* the client may lack memory too */
            for (size_t k = 0; sent == 0 && k < request.len; k += 60000) {
                sent = rig_send_bytes(&client, request.ptr + k,
                                      request.len - k < 60000 ? request.len - k : 60000);
                rig_turn(&t.rig, 1);
            }
            if (t.rig.requests > 0 && sent == 0) CHECK(rig_until(&t.rig, &t.rig.dones, 1, 10000));
            all = !rig_alloc_refused();
            rig_alloc_pause(true);
            CHECK(!all || t.status == GALE_OK);
            rig_drop(&t.rig, &client);
            rig_form_close(&t);
            rig_alloc_end();
        }
        CHECK(all);
    }
}
