/* A form read on the rig: what its callbacks were called with, as text, and what it left behind. */
#ifndef GALE_TESTS_RIG_FORM_H
#define GALE_TESTS_RIG_FORM_H

#include "rig.h"

typedef struct rig_form {
    rig_t rig;
    gale_form_handler_t handler; /* callbacks are set; limits are the test's */
    int fate;                    /* that on_part gives */
    int result;                  /* of gale_form_read */
    unsigned reads, parts, ends, ended_parts, datas;
    int status; /* of on_end */
    char error[100];
    gale_form_t *form; /* null when it is over and the request too */
    bool keep_quiet;   /* on_end doesn't answer */
    /* The test's own, after what is logged. */
    void (*on_part)(struct rig_form *t, gale_part_t *part);
    void (*on_data)(struct rig_form *t, gale_part_t *part, gale_str_t bytes);
    void (*on_part_end)(struct rig_form *t, gale_part_t *part);
    void (*on_end)(struct rig_form *t, int status);
    rig_text_t log;  /* "<name|filename|type>bytes</>" for each part, "." at a good end */
    unsigned fds;    /* open before */
    char folder[64]; /* for temporary files; must be empty at the end */
} rig_form_t;

/* Sets up; then the test's settings, then rig_open(&t->rig). */
void rig_form_init(rig_form_t *t, bool streaming);
/* Frees, and checks that on_end came for each form, that no file and no descriptor is left. */
void rig_form_close(rig_form_t *t);
/* Files in the folder. */
unsigned rig_form_files(const rig_form_t *t);

#define RIG_FORM_B "--1234\r\nContent-Disposition: form-data; name="
#define RIG_FORM_END "\r\n--1234--\r\n"
/* A request with this body; lives until the next call. */
gale_str_t rig_form_request(const char *type, gale_str_t body);
gale_str_t rig_form_multipart(const char *body);

/* Connects, sends a request whole; its answer. */
gale_str_t rig_form_ask(rig_form_t *t, rig_client_t *client, gale_str_t request);

/* A form with a field and a file, and what rig_form_t.log then says. */
#define RIG_FORM_TWO                                                                               \
    RIG_FORM_B "a\r\n\r\none\r\n" RIG_FORM_B                                                       \
               "f; filename=x.txt\r\nContent-Type: text/plain\r\nX-Y: z\r\n\r\nFoo" RIG_FORM_END
#define RIG_FORM_TWO_LOG "<a||>one</><f|x.txt|text/plain>Foo</>."

#endif
