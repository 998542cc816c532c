/* For io: HDF5 files whose bytes HDF5 never writes itself.
 *
 * An overlay is a file image: what lies on disk beneath (or nothing), and over it, in memory, all
 * that HDF5 has written since.  HDF5 works on it through a file driver of ours, so it never meets a
 * full disk, a quota or a directory that vanished; we put the changes on disk ourselves, with every
 * errno seen, or forget them.  Raw data that HDF5 only reserves (early allocation, no fill) costs
 * no memory. */
#ifndef PEL_OVERLAY_H
#define PEL_OVERLAY_H

#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>

enum { PEL__PAGE = 4096 }; /* large datasets begin at multiples of it, and so must HDF5 itself */

typedef struct pel__overlay pel__overlay;

/* A stretch of bytes. */
typedef struct {
  int64_t at, size;
} pel__span;

/* fd: the file beneath, borrowed, only ever read here; -1: nothing beneath.  NULL: out of memory or
 * the file's size cannot be told (errno). */
pel__overlay *pel__overlay_create(int fd);
void pel__overlay_destroy(pel__overlay *o); /* after the HDF5 file has been closed; NULL allowed */

/* HDF5 file on the overlay; the versions are bounds for what is written.  < 0 on failure. */
hid_t pel__overlay_h5create(pel__overlay *o, hid_t fcpl, H5F_libver_t low, H5F_libver_t high);
hid_t pel__overlay_h5open(pel__overlay *o, bool write);

int64_t pel__overlay_size(const pel__overlay *o); /* of the file if committed now */
void pel__overlay_resize(pel__overlay *o, int64_t size);

/* 0 or an errno.  Bytes beyond the end read as zeros. */
int pel__overlay_read(const pel__overlay *o, int64_t at, int64_t size, void *to);
int pel__overlay_write(pel__overlay *o, int64_t at, int64_t size, const void *from);

/* The stretches written since creation, ascending, merged; *span is malloced.  Count, or -1. */
int pel__overlay_spans(const pel__overlay *o, pel__span **span);

/* Writes the changes to fd, first those beyond `old` bytes, then the others in ascending order, and
 * forgets them if fd is the file beneath.  When a write fails what was overwritten is put back.
 * 0 or an errno. */
int pel__overlay_commit(pel__overlay *o, int fd, int64_t old);

#endif
