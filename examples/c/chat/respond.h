/* Answers, with the fields that all of this program's answers carry. */
#ifndef CHAT_RESPOND_H
#define CHAT_RESPOND_H

#include <gale.h>

#include "text.h"

/* A page or JSON; takes the text. A text that failed is answered with 503. cookie: value of
 * Set-Cookie, or null. */
void respond_html(gale_req_t *req, int status, text_t *page, const char *cookie);
void respond_json(gale_req_t *req, text_t *json);
/* 303 to a place of this site. */
void respond_redirect(gale_req_t *req, const char *to, const char *cookie);
/* A line of plain text that says why. 405 is respond_not_allowed. */
void respond_error(gale_req_t *req, int status, const char *why);
void respond_not_allowed(gale_req_t *req, const char *allowed);

#endif
