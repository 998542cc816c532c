/* For io: system calls that do all of their work or say why not.  Each returns 0 or an errno. */
#ifndef PEL_POSIX_IO_H
#define PEL_POSIX_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include "pelsim/error.h"

int pel__pread(int fd, void *to, size_t size, int64_t at);       /* the file ends: ENODATA */
int pel__pread_zeros(int fd, void *to, size_t size, int64_t at); /* the file ends: zeros */
int pel__pwrite(int fd, const void *from, size_t size, int64_t at);
int pel__pwritev(int fd, struct iovec *v, int n, int64_t at); /* spoils v */

/* Makes the file `size` bytes long and reserves all of them, so that no later write inside can meet
 * a full disk; a file system that cannot reserve (NFS 3) only gets the length. */
int pel__reserve(int fd, int64_t old, int64_t size);

/* Whether this errno of reading an open file tells of the file, not of the machine at present: then
 * another try would end alike.  0: what was read is wrong. */
bool pel__is_damage(int err);

int pel__close(int fd); /* fd < 0: nothing to do */
int pel__sync_directory_of(const char *path);

/* A file beyond the shell's limit must be an error that is told (EFBIG), not the end of the rank.
 */
void pel__ignore_sigxfsz(void);

/* One sentence: "cannot WHAT PATH: REASON", for a full disk with the bytes wanted (0: unknown) and
 * the bytes free.  Returns PEL_IO. */
int pel__io_error(pel_error *e, const char *what, const char *path, int err, int64_t wanted);

#endif
