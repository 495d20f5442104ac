/*
 * Where to listen, in text:
 *
 *     http://HOST:PORT    HOST a name, an address, [an IPv6 one], or * for all of both families
 *     unix:PATH           unix:@NAME in Linux's abstract namespace
 *     systemd:NAME        sockets handed over by this name; systemd: alone, all of them
 *
 * and behind a '?', parted by '&', options: proxy=required, scheme=https, reuseport=1, mode=0660,
 * backlog=4096.
 */
#ifndef GALE_CORE_LISTEN_URL_H
#define GALE_CORE_LISTEN_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "gale.h"

typedef enum { GALE__LISTEN_TCP, GALE__LISTEN_UNIX, GALE__LISTEN_HANDED } gale__listen_kind_t;

typedef struct {
    bool proxy;       /* each connection begins with a PROXY header */
    bool secure;      /* a proxy in front ended TLS */
    bool reuse_port;  /* other processes may listen there too */
    uint16_t mode;    /* of a unix socket's file */
    uint32_t backlog; /* 0: the configuration's */
} gale__listen_options_t;

typedef struct {
    uint8_t kind;     /* gale__listen_kind_t */
    gale_str_t where; /* host without brackets, path, or name; lies in the URL */
    uint16_t port;
    gale__listen_options_t options;
} gale__listen_url_t;

/* False when it is none of these, or an option is unknown, wrong, or not for this kind. */
bool gale__listen_url_parse(gale__listen_url_t *out, gale_str_t url);
/* Options alone, for sockets of this kind, as they stand behind the '?'. */
bool gale__listen_options_parse(gale__listen_options_t *out, uint8_t kind, gale_str_t text);

#endif
