/* Systems of units, those of LAMMPS with its constants (CODATA 2006 and the thermochemical calorie:
 * Thompson et al. 2022, doi:10.1016/j.cpc.2021.108171), so that its inputs mean the same here.
 *
 *           length    time   energy    mass    temperature  pressure
 *   lj      sigma     tau    epsilon   m       epsilon/k    epsilon/sigma^3
 *   metal   Angstrom  ps     eV        g/mol   K            bar
 *   real    Angstrom  fs     kcal/mol  g/mol   K            atm */
#ifndef PEL_MD_UNITS_H
#define PEL_MD_UNITS_H

#define PEL__MD_UNITS "lj|metal|real"
enum { PEL__MD_LJ, PEL__MD_METAL, PEL__MD_REAL, PEL__MD_NUNITS };

#define PEL__MD_METAL_MASS 1.0364269e-4
#define PEL__MD_REAL_MASS (48.88821291 * 48.88821291)

typedef struct {
  const char *name;
  double k;               /* energy a temperature */
  double mass;            /* energy*time^2/length^2 a mass */
  double pressure;        /* pressure an energy/length^3 */
  double second;          /* unit of time in seconds; 1: reduced */
  double dt;              /* usual length of a step */
  double compressibility; /* of a liquid or, in metal, a solid: the order of magnitude */
} pel__md_units;

extern const pel__md_units pel__md_units_of[PEL__MD_NUNITS];

#endif
