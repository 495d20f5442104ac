/* SipHash-2-4 (Aumasson and Bernstein): the hash of tables whose keys a client chooses. Without the
 * secret nobody can find keys that fall together. */
#ifndef GALE_CORE_SIPHASH_H
#define GALE_CORE_SIPHASH_H

#include <stdint.h>

#include "gale.h"

typedef struct {
    uint64_t k0, k1;
} gale__sip_key_t;

uint64_t gale__siphash(gale__sip_key_t key, gale_str_t bytes);

#endif
