// An answer too large for one write: written as the socket takes it.
//
// From memory: on loopback that costs half of what sendfile does, which hands the kernel a file
// page by page.
#ifndef FLOOR_LARGE_H
#define FLOOR_LARGE_H

#include <stddef.h>

// From here on the answer is these bytes, which stay.
void large_set(const char *bytes, size_t size);

void large_begin(int fd);

// Writes what the socket takes. 0: all is written; 1: wait until it is writable; -1: it is gone.
int large_go_on(int fd);

#endif
