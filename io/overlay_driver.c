/* The HDF5 file driver that reads and writes an overlay.  See "HDF5 Virtual File Layer" in the HDF5
 * documentation: a driver is a table of callbacks on a struct that begins with H5FD_t. */
#include <stdlib.h>
#include "overlay.h"
#include "pelsim/memory.h"

#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

typedef struct {
  H5FD_t pub; /* must be first */
  pel__overlay *image;
  haddr_t eoa, eof; /* end of what HDF5 has allocated; of what a reader would find */
} file;

typedef struct {
  pel__overlay *image;
} info;

static hid_t the_driver = H5I_INVALID_HID; /* HDF5 numbers drivers a process */

static H5FD_t *driver_open(const char *name, unsigned flags, hid_t fapl, haddr_t maxaddr) {
  (void)name, (void)flags, (void)maxaddr;
  const info *i = H5Pget_driver_info(fapl);
  if (!i || !i->image) return NULL;
  file *f = pel_calloc(1, sizeof *f);
  f->image = i->image;
  f->eof = (haddr_t)pel__overlay_size(f->image);
  return &f->pub;
}

static herr_t driver_close(H5FD_t *f) {
  free(f);
  return 0;
}

static herr_t driver_query(const H5FD_t *f, unsigned long *flags) {
  (void)f;
  /* no ACCUMULATE_METADATA: each write is then one object, of one kind */
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_AGGREGATE_SMALLDATA |
           H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

static haddr_t driver_get_eoa(const H5FD_t *f, H5FD_mem_t type) {
  (void)type;
  return ((const file *)f)->eoa;
}

static herr_t driver_set_eoa(H5FD_t *f, H5FD_mem_t type, haddr_t addr) {
  (void)type;
  ((file *)f)->eoa = addr;
  return 0;
}

static haddr_t driver_get_eof(const H5FD_t *f, H5FD_mem_t type) {
  (void)type;
  return ((const file *)f)->eof;
}

static herr_t driver_read(H5FD_t *f, H5FD_mem_t type, hid_t dxpl, haddr_t addr, size_t size,
                          void *buffer) {
  (void)type, (void)dxpl;
  pel__overlay *o = ((file *)f)->image;
  return pel__overlay_note(o, pel__overlay_read(o, (int64_t)addr, (int64_t)size, buffer)) ? -1 : 0;
}

static herr_t driver_write(H5FD_t *f, H5FD_mem_t type, hid_t dxpl, haddr_t addr, size_t size,
                           const void *buffer) {
  (void)dxpl;
  file *me = (file *)f;
  const pel__content content = type == H5FD_MEM_BTREE  ? PEL__INDEX
                               : type == H5FD_MEM_OHDR ? PEL__HEADER
                                                       : PEL__OTHER;
  /* HDF5 must not see a failure: it could not close the file then, and would crash at exit.  Noted,
   * it fails whoever puts the overlay on disk. */
  pel__overlay_note(me->image,
                    pel__overlay_write(me->image, (int64_t)addr, (int64_t)size, buffer, content));
  if (addr + size > me->eof) me->eof = addr + size;
  return 0;
}

static herr_t driver_truncate(H5FD_t *f, hid_t dxpl, hbool_t closing) {
  (void)dxpl, (void)closing;
  file *me = (file *)f;
  me->eof = me->eoa;
  pel__overlay_resize(me->image, (int64_t)me->eoa);
  return 0;
}

static const H5FD_class_t driver = {
#if H5_VERSION_GE(1, 13, 0)
    .version = H5FD_CLASS_VERSION,
    .value = 511, /* the last of the numbers set apart for private drivers */
#endif
    .name = "pelsim_overlay",
    .maxaddr = (haddr_t)INT64_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(info),
    .open = driver_open,
    .close = driver_close,
    .query = driver_query,
    .get_eoa = driver_get_eoa,
    .set_eoa = driver_set_eoa,
    .get_eof = driver_get_eof,
    .read = driver_read,
    .write = driver_write,
    .truncate = driver_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY};

static hid_t access_list(pel__overlay *o) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* we say what went wrong ourselves */
  if (the_driver < 0) the_driver = H5FDregister(&driver);
  const info i = {o};
  const hid_t fapl = H5Pcreate(H5P_FILE_ACCESS);
  if (the_driver < 0 || H5Pset_driver(fapl, the_driver, &i) < 0 ||
      H5Pset_alignment(fapl, PEL__ALIGNED, PEL__PAGE) < 0 ||
      H5Pset_meta_block_size(fapl, 16384) < 0) { /* metadata side by side */
    H5Pclose(fapl);
    return -1;
  }
  return fapl;
}

hid_t pel__overlay_h5create(pel__overlay *o, hid_t fcpl, H5F_libver_t low, H5F_libver_t high) {
  const hid_t fapl = access_list(o);
  if (fapl < 0) return -1;
  hid_t f = -1;
  if (H5Pset_libver_bounds(fapl, low, high) >= 0)
    f = H5Fcreate("overlay", H5F_ACC_TRUNC, fcpl, fapl);
  H5Pclose(fapl);
  return f;
}

hid_t pel__overlay_h5open(pel__overlay *o, bool write) {
  const hid_t fapl = access_list(o);
  if (fapl < 0) return -1;
  hid_t f = -1;
  if (!write || H5Pset_libver_bounds(fapl, H5F_LIBVER_V18, H5F_LIBVER_V18) >= 0)
    f = H5Fopen("overlay", write ? H5F_ACC_RDWR : H5F_ACC_RDONLY, fapl);
  H5Pclose(fapl);
  return f;
}
