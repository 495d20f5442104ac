/*
 * Rooms: their last messages, who listens, who is here.
 *
 * The server has one worker, so everything here runs on one thread and nothing locks. All of it has
 * bounds, since all of it comes from the network: rooms, messages and their bytes, people.
 */
#ifndef CHAT_ROOM_H
#define CHAT_ROOM_H

#include <gale.h>

#include "message.h"
#include "text.h"

enum { ROOM_NAME = 40, ROOM_SIZE = ROOM_NAME * 4 + 1 };

typedef struct room room_t;
typedef struct member member_t; /* somebody who is here */
typedef struct waiter waiter_t; /* a poll that is not answered yet */

/* Makes the lobby and starts the clock, on the worker; frees everything when the worker has
 * ended. */
bool rooms_open(gale_worker_t *worker, gale_server_t *server);
void rooms_close(void);
/* The server is about to stop: who waits is answered, and nobody waits any more. Also for signal
 * handlers. */
void rooms_stop(void);

/* The room of this name, null if nobody has entered it yet. */
room_t *room_find(const char *name);
/* The same, and makes it; null when there are too many with people in them, or no memory. */
room_t *room_enter(const char *name);
/* HTML list items that lead to the liveliest rooms, and to this one, which may not exist yet. */
void rooms_html(text_t *out, const char *current);

/* Says something to everybody in the room; the same nonce again gives the message it was. Null: no
 * memory. The message stays until the callback returns. */
const message_t *room_say(room_t *room, const char *from, const char *body, const char *nonce);
/* What the room's page shows; room may be null. */
void room_messages_html(text_t *out, const room_t *room, const char *reader);
void room_people_html(text_t *out, const room_t *room);
/* The id of the last message, "" without one. */
const char *room_cursor(const room_t *room);

/* A socket listens: it gets what came after the cursor, then all that comes. The result is for
 * room_leave; null: no memory, or too many people. */
member_t *room_join(room_t *room, const char *name, gale_ws_t *ws, const char *cursor);
void room_leave(member_t *member);
room_t *member_room(const member_t *member);
const char *member_name(const member_t *member);

/* A long poll: answers when there is something after the cursor, or somebody comes or goes, or at
 * once without `wait`, or after 25 seconds. False: no memory, or too many people. */
bool room_poll(room_t *room, const char *name, gale_req_t *req, const char *cursor, bool wait);
/* Its request is over: from on_done, with the request's data, null when it did not wait. */
void room_poll_done(waiter_t *waiter);

#endif
