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

/* Whoever is killed while he writes may have written some pages and not others.  So what must
 * change as a whole lies within one: nodes of chunk indices, of 2096 to 4096 bytes, begin at a
 * page, and so does all that is as large. */
enum { PEL__PAGE = 4096, PEL__ALIGNED = 2048 };

typedef struct pel__overlay pel__overlay;

/* fd: the file beneath, borrowed, only ever read here; -1: nothing beneath.  NULL: out of memory or
 * the file's size cannot be told (errno). */
pel__overlay *pel__overlay_create(int fd);
void pel__overlay_destroy(pel__overlay *o); /* after the HDF5 file has been closed; NULL allowed */

/* HDF5 file on the overlay; the versions are bounds for what is written.  < 0 on failure. */
hid_t pel__overlay_h5create(pel__overlay *o, hid_t fcpl, H5F_libver_t low, H5F_libver_t high);
hid_t pel__overlay_h5open(pel__overlay *o, bool write);

/* The first read or write of HDF5 that failed; 0: none.  HDF5 may pass over a read, and is not told
 * of a write.  After one nothing can be committed. */
int pel__overlay_error(const pel__overlay *o);
int pel__overlay_note(pel__overlay *o, int err); /* for the driver; returns err */

int64_t pel__overlay_size(const pel__overlay *o); /* of the file if committed now */
void pel__overlay_resize(pel__overlay *o, int64_t size);

/* What a write holds decides when it may become visible. */
typedef enum { PEL__OTHER, PEL__INDEX, PEL__HEADER } pel__content;

/* 0 or an errno.  Bytes beyond the end read as zeros. */
int pel__overlay_read(const pel__overlay *o, int64_t at, int64_t size, void *to);
int pel__overlay_write(pel__overlay *o, int64_t at, int64_t size, const void *from,
                       pel__content content);

/* Writes the changes to fd and forgets them if fd is the file beneath.  Whoever is killed between
 * two of the writes leaves a file that is whole: when it grows, first what lies beyond the `old`
 * bytes, so that nothing points at what is not there; then raw data and the superblock; indices of
 * chunks, parents before children; and last the headers with the datasets' sizes, in a single
 * write.  When it shrinks the headers come first.  If a write fails what was overwritten is put
 * back.  0 or an errno. */
typedef enum { PEL__GROWS, PEL__SHRINKS } pel__change;
int pel__overlay_commit(pel__overlay *o, int fd, int64_t old, pel__change change);

#endif
