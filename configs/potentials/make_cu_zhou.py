#!/usr/bin/env python3
"""Writes Cu_zhou.eam.alloy: copper of the embedded-atom method by the formulas and parameters of
X. W. Zhou et al. (2001), Acta Materialia 49, 4005-4015, doi:10.1016/S1359-6454(01)00287-7."""
from math import exp, log

RE, FE, RHO_E, RHO_S = 2.556162, 1.554485, 22.150141, 22.150141
ALPHA, BETA, A, B, KAPPA, LAMBDA = 7.669911, 4.090619, .327584, .468735, .431307, .862140
F_N = (-2.176490, -.140035, .285621, -1.750834)
F_I = (-2.19, 0, .702991, .683705)
ETA, F_E = .921150, -2.191675

NRHO, DRHO, NR, DR = 1001, .05, 1201, .005  # the cut-off is the last distance


def density(r):
    return FE * exp(-BETA * (r / RE - 1)) / (1 + (r / RE - LAMBDA) ** 20)


def r_phi(r):
    return r * (A * exp(-ALPHA * (r / RE - 1)) / (1 + (r / RE - KAPPA) ** 20)
                - B * exp(-BETA * (r / RE - 1)) / (1 + (r / RE - LAMBDA) ** 20))


def embedding(rho):
    if rho < .85 * RHO_E:
        return sum(c * (rho / (.85 * RHO_E) - 1) ** i for i, c in enumerate(F_N))
    if rho < 1.15 * RHO_E:
        return sum(c * (rho / RHO_E - 1) ** i for i, c in enumerate(F_I))
    return F_E * (1 - ETA * log(rho / RHO_S)) * (rho / RHO_S) ** ETA


def main():
    tables = [[embedding(i * DRHO) for i in range(NRHO)], [density(i * DR) for i in range(NR)],
              [r_phi(i * DR) for i in range(NR)]]
    with open("Cu_zhou.eam.alloy", "w") as f:
        f.write("Copper UNITS: metal tabulated by make_cu_zhou.py from the formulas and parameters of\n"
                "X. W. Zhou et al. (2001), Acta Materialia 49, 4005-4015\n"
                "doi:10.1016/S1359-6454(01)00287-7\n"
                f"1 Cu\n{NRHO} {DRHO} {NR} {DR} {(NR - 1) * DR}\n29 63.546 3.615 fcc\n")
        for values in tables:  # each begins on a line of its own: LAMMPS wants that
            for i in range(0, len(values), 5):
                f.write(" ".join(f"{x:.15e}" for x in values[i:i + 5]) + "\n")


main()
