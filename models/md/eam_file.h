/* Files of embedded-atom potentials, in the formats of DYNAMO that LAMMPS reads
 * (https://docs.lammps.org/pair_eam.html): energies in eV, lengths in Angstrom, masses in g/mol.
 *
 *   E = sum_i F_i(rho_i) + sum_{i<j} phi_ij(r),   rho_i = sum_j rho_ij(r)
 *
 * funcfl: one element, rho_ij of the element j, phi = 27.2*0.529 eV A Z_i(r) Z_j(r)/r
 * setfl:  several elements, rho_ij of the element j, r*phi_ij
 * fs:     several elements (Finnis & Sinclair), rho_ij of the pair, r*phi_ij */
#ifndef PEL_MD_EAM_FILE_H
#define PEL_MD_EAM_FILE_H

#include <stdbool.h>
#include <stddef.h>

enum { PEL__EAM_ELEMENTS = 32, PEL__EAM_NAME = 16 };

typedef enum { PEL__EAM_AUTO, PEL__EAM_FUNCFL, PEL__EAM_SETFL, PEL__EAM_FS } pel__eam_format;

typedef struct {
  char name[PEL__EAM_NAME]; /* chemical symbol */
  double mass, lattice;
  char structure[PEL__EAM_NAME];
} pel__eam_element;

/* Values at steps of drho and dr from 0. */
typedef struct {
  pel__eam_format format;
  int n; /* elements */
  pel__eam_element element[PEL__EAM_ELEMENTS];
  int nrho, nr;
  double drho, dr, cutoff;
  double *embed;   /* [element][nrho] */
  double *density; /* [i][j][nr]: that of j at i; funcfl, setfl: the same for all i */
  double *pair;    /* [i][j][nr]: r*phi; funcfl: Z of the element, [nr] */
} pel__eam_file;

/* format PEL__EAM_AUTO: told from name and text.  Returns false with a sentence in error. */
bool pel__eam_file_parse(pel__eam_file *f, pel__eam_format format, const char *name,
                         const char *text, size_t size, char *error, size_t error_size);
void pel__eam_file_free(pel__eam_file *f);

/* Number of the element of that name, ignoring case, or -1. */
int pel__eam_file_find(const pel__eam_file *f, const char *name);

/* Symbol of a chemical element; "" if there is none of that number. */
const char *pel__element_symbol(int number);

#endif
