/* Who is asking: a signed cookie with the name. And whether a page of ours made them ask: a token
 * that a form must repeat (XSRF), since browsers send cookies along whoever makes them. */
#ifndef CHAT_SESSION_H
#define CHAT_SESSION_H

#include <gale.h>

enum { NAME_LENGTH = 32, NAME_SIZE = NAME_LENGTH * 4 + 1, COOKIE_SIZE = 512, TOKEN_SIZE = 33 };

/* Takes the key from GALE_CHAT_SECRET, so that sessions outlive the process; without it, one for
 * this run. False: the system gives no random numbers. */
bool session_start(void);

/* The name that is logged in; false if nobody is. */
bool session_user(gale_req_t *req, char name[NAME_SIZE]);
/* Values for Set-Cookie: logged in by that name, and logged out. */
void session_cookie(const char *name, char cookie[COOKIE_SIZE]);
extern const char session_over[];

/* The token of this browser; true if it is a new one, which must then be set as a cookie. */
bool xsrf_token(gale_req_t *req, char token[TOKEN_SIZE]);
void xsrf_cookie(const char *token, char cookie[COOKIE_SIZE]);
/* Whether a POST comes from a page of ours: same Origin, and the token in the field _xsrf or
 * X-Xsrftoken. */
bool xsrf_check(gale_req_t *req);

#endif
