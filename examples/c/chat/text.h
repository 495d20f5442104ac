/* Text that grows, and what has to be done to text before it may stand in HTML, JSON or a URL. */
#ifndef CHAT_TEXT_H
#define CHAT_TEXT_H

#include <gale.h>

/* A buffer with an upper bound. What does not fit, in it or in memory, sets `failed` and is left
 * out: add all, then look once. {0} is an empty one. */
typedef struct {
    char *bytes;
    size_t len, cap;
    bool failed;
} text_t;

void text_add(text_t *t, const void *bytes, size_t len);
void text_puts(text_t *t, const char *text);
void text_printf(text_t *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* As text in HTML, also within quotes: & < > " ' become entities. */
void text_html(text_t *t, const char *text);
/* As a JSON string with its quotes; also safe within a script element. */
void text_json(text_t *t, const char *text);
/* As a part of a query: all but letters, digits and -._~ in percent. */
void text_url(text_t *t, gale_str_t bytes);
/* What is in it as a string, which lives until the text changes; "" if something had failed. */
const char *text_string(text_t *t);
void text_free(text_t *t);
/* Hands the bytes over as a body; the text is empty again. ptr is null if something had failed. */
gale_buf_t text_take(text_t *t);

/* Text that is sent to many and does not change: each holds it until the system has taken it, and
 * the last one frees it. One thread, so the count needs no atomic. */
typedef struct {
    unsigned holders;
    size_t len;
    char bytes[];
} shared_t;

/* Of a text, which is freed; held once, by the caller. Null if something had failed. */
shared_t *shared_make(text_t *t);
void shared_release(void *shared);
/* To be sent without a copy. */
gale_buf_t shared_buf(shared_t *shared);

/* The next character of UTF-8, or -1 when it is none; moves *at behind it, or by a byte. *at must
 * be before `end`. */
int32_t utf8_next(const char **at, const char *end);
/* Writes a character, four bytes at most, and gives their number. */
size_t utf8_put(char *out, int32_t character);
/* Takes white space off both ends, in place; gives the text from its first other character on. */
char *text_trim(char *text);

/* Makes a name of a person or room from what somebody typed, in place: trimmed, 1 to `limit`
 * characters (code points), one that shows at least, none that is hidden or turns the text around
 * it. Null if it is none. */
char *text_name(char *typed, size_t limit);
/* The same for a message: trimmed, with \n for \r\n, of 1 to 4000 UTF-16 units, as browsers
 * count. */
char *text_message(char *typed);

#endif
