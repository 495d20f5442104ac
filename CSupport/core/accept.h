/* Accept-Encoding (RFC 9110 12.5.3): which content coding a client likes best of those there are. */
#ifndef GALE_CORE_ACCEPT_H
#define GALE_CORE_ACCEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gale.h"

typedef enum {
    GALE__IDENTITY,
    GALE__GZIP, /* x-gzip, too */
    GALE__DEFLATE,
    GALE__BROTLI,
    GALE__ZSTD,
    GALE__CODINGS
} gale__coding_t;

/* What a client said of each coding, in thousandths: 0 is refused, -1 was never named. */
typedef struct {
    int16_t weight[GALE__CODINGS];
    int16_t others; /* of "*" */
} gale__accept_t;

void gale__accept_init(gale__accept_t *a);
/* Takes the value of one Accept-Encoding field; several are one list (RFC 9110 5.3). A member that
 * breaks the grammar is passed over, one named twice has its lesser weight. Linear time. */
void gale__accept_add(gale__accept_t *a, gale_str_t value);
/* The Accept-Encoding fields among a request's; begins with init. */
void gale__accept_fields(gale__accept_t *a, const gale_header_t *fields, size_t count);
/* The best of `count` codings in the server's order of preference, which decides between equal
 * weights; GALE__IDENTITY when none is wanted or the client likes that better. Identity that is not
 * named comes after every coding that is wanted at all. A client that said nothing gets identity. */
gale__coding_t gale__accept_best(const gale__accept_t *a, const gale__coding_t *offered,
                                 size_t count);
/* Whether the client will not have it plain: "identity;q=0", or "*;q=0" without naming it. */
bool gale__accept_refuses_plain(const gale__accept_t *a);
/* All three for the Accept-Encoding fields among a request's. */
gale__coding_t gale__accept_encoding(const gale_header_t *fields, size_t field_count,
                                     const gale__coding_t *offered, size_t count);
/* "gzip", as Content-Encoding has it; "identity". Static. */
gale_str_t gale__coding_name(gale__coding_t coding);
/* The coding of that name, without case; false when it is none of them. */
bool gale__coding_named(gale_str_t name, gale__coding_t *out);
/* Its bit among GALE_CODING_*; none for identity. */
static inline uint32_t gale__coding_bit(gale__coding_t coding) {
    return 1u << coding >> 1;
}

#endif
