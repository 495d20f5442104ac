#include "ws_keys.h"

#include <string.h>
#include <uv.h>

int gale__ws_keys_next(gale__ws_keys_t *k, uint8_t key[4]) {
    if (k->left == 0) {
        int err = uv_random(NULL, NULL, k->key, sizeof k->key, 0, NULL);
        if (err < 0) return err;
        k->left = GALE__WS_KEYS;
    }
    memcpy(key, k->key[--k->left], 4);
    return 0;
}
