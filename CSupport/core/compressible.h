/* Which media types are worth compressing. */
#ifndef GALE_CORE_COMPRESSIBLE_H
#define GALE_CORE_COMPRESSIBLE_H

#include <stdbool.h>

#include "gale.h"

/* By the value of Content-Type, parameters and case aside: text and everything written in JSON, XML
 * or YAML, scripts, fonts and pictures that are not compressed by themselves (GZ-01 and the lists
 * that other servers have). */
bool gale__compressible(gale_str_t content_type);

#endif
