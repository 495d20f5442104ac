/* What gale.h says of content codings. */
#include "../io/connection.h"
#include "encoder.h"

_Static_assert(GALE_CODING_GZIP == 1 << GALE__GZIP >> 1, "the bits are in the order of the enum");
_Static_assert(GALE_CODING_DEFLATE == 1 << GALE__DEFLATE >> 1, "likewise");
_Static_assert(GALE_CODING_BR == 1 << GALE__BROTLI >> 1, "likewise");
_Static_assert(GALE_CODING_ZSTD == 1 << GALE__ZSTD >> 1, "likewise");

uint32_t gale_codings(void) {
    uint32_t set = 0;
    for (int c = GALE__GZIP; c < GALE__CODINGS; c++) {
        if (gale__coding_built((gale__coding_t)c)) set |= gale__coding_bit((gale__coding_t)c);
    }
    return set;
}

int gale_req_set_compression(gale_req_t *r, uint32_t codings) {
    if (!gale__on_loop(r->worker)) return GALE_ETHREAD;
    if (r->done || r->resp_state != GALE__RESP_NONE) return GALE_ESTATE;
    r->compress = (uint8_t)(codings & gale_codings());
    return 0;
}
