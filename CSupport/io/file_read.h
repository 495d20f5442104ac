/* Reading a file without waiting for a disk. */
#ifndef GALE_IO_FILE_READ_H
#define GALE_IO_FILE_READ_H

#include <stddef.h>
#include <stdint.h>

/* Reads up to `size` bytes at `offset` if the system has them in memory: their number, 0 at the end
 * of the file; UV_EAGAIN: it has not; UV_ENOTSUP: this system or file system cannot tell; or another
 * error. */
long gale__read_now(int fd, void *out, size_t size, uint64_t offset);

#endif
