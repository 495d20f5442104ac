/* What somebody said, and the JSON of it that every browser gets, made once. */
#ifndef CHAT_MESSAGE_H
#define CHAT_MESSAGE_H

#include "text.h"

enum { ID_SIZE = 40, NONCE_SIZE = 65 };

typedef struct {
    size_t size;             /* of all this */
    shared_t *json;          /* with the HTML in it */
    char id[ID_SIZE];        /* opaque to browsers, but rising, also over restarts */
    char nonce[NONCE_SIZE];  /* what its sender called it, so that sending it twice says it once */
    char clock[8], time[24]; /* 23:59, and ISO 8601; UTC */
    const char *from, *body; /* behind this */
    char strings[];
} message_t;

/* Null: no memory. */
message_t *message_make(const char *room, const char *from, const char *body, const char *nonce);
void message_free(message_t *m);
/* The same markup as examples/chat/templates/message.html. reader: whose page it is; null for all.
 */
void message_html(text_t *out, const message_t *m, const char *reader);

#endif
