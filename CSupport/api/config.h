/* Taking the caller's extensible structs. */
#ifndef GALE_API_CONFIG_H
#define GALE_API_CONFIG_H

#include "gale.h"

/* No struct is ever longer: a size beyond it was not filled in. */
enum { GALE__STRUCT_MAX = 4096 };

/* Copies a struct that begins with struct_size into `to`, which is `known` bytes and holds defaults
 * for what the caller's lacks. GALE_EVERSION: shorter than `smallest`, or longer than known with
 * something in the unknown part, or than any struct is. */
int gale__struct_take(void *to, size_t known, const void *from, size_t smallest);
/* The same with defaults and ranges of the configuration; null: all defaults. */
int gale__config_take(gale_config_t *to, const gale_config_t *from);

#endif
