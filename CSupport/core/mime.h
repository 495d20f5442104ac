/* Content types of static files, by the extension of their names (STA-12). */
#ifndef GALE_CORE_MIME_H
#define GALE_CORE_MIME_H

#include "gale.h"

/* Content type for a file name or path; "application/octet-stream" when its extension is unknown.
 * Static. */
gale_str_t gale__mime_type(gale_str_t file_name);

#endif
