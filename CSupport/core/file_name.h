/* File names that a client made up, as names that are safe to create (HU-17). */
#ifndef GALE_CORE_FILE_NAME_H
#define GALE_CORE_FILE_NAME_H

#include <stddef.h>

#include "gale.h"

enum { GALE__FILE_NAME_MAX = 255 }; /* bytes of a name on nearly all file systems */

/* Writes at most GALE__FILE_NAME_MAX bytes; gives their number, which is never 0. */
size_t gale__safe_file_name(gale_str_t name, char out[GALE__FILE_NAME_MAX]);

#endif
