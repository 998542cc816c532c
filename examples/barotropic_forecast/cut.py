#!/usr/bin/env python3
"""Cuts the two input files of this example from the originals.

    cut.py hgt500.nc topography_21ka.nc

hgt500.nc            500 hPa height of the NCEP/NCAR reanalysis, monthly means (Kalnay et al. 1996)
topography_21ka.nc   ICE-5G topography of 21,000 years before present (Peltier 2004)

Both come with the example data of the NCAR Command Language.  Values and attributes of the
variables stay as they are; what was done is added as global attributes.
"""
import sys

import netCDF4


def cut(source, target, variables, select, attributes):
    """Copies some variables, of dimensions in `select` only the given slice."""
    with netCDF4.Dataset(source) as a, netCDF4.Dataset(target, "w", format="NETCDF3_CLASSIC") as b:
        a.set_auto_mask(False)
        for name in {d: None for v in variables for d in a[v].dimensions}:
            size = len(range(*select.get(name, slice(None)).indices(len(a.dimensions[name]))))
            b.createDimension(name, size)
        for name in variables:
            x = a[name]
            fill = getattr(x, "_FillValue", None)
            y = b.createVariable(name, x.dtype, x.dimensions, fill_value=fill)
            y.setncatts({k: x.getncattr(k) for k in x.ncattrs() if k != "_FillValue"})
            y[:] = x[tuple(select.get(d, slice(None)) for d in x.dimensions)]
        kept = {k: a.getncattr(k) for k in a.ncattrs()}
        history = kept.pop("history", "").strip()
        attributes["history"] = "\n".join(filter(None, (history, attributes["history"])))
        b.setncatts({**kept, **attributes})


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    cut(sys.argv[1], "height_500hPa_1958-01.nc", ("time", "lat", "lon", "HGT"),
        {"time": slice(0, 1)},
        {"title": "500 hPa geopotential height, first month of the file",
         "source": "NCEP/NCAR reanalysis, in the example data of the NCAR Command Language "
                   "(hgt500.nc)",
         "references": "Kalnay et al. (1996), Bull. Amer. Meteor. Soc. 77, 437-471",
         "history": "cut.py: the first of 21 times of hgt500.nc"})
    cut(sys.argv[2], "topography_21ka.nc", ("Lon", "Lat", "Topo"), {},
        {"source": "ICE-5G, in the example data of the NCAR Command Language "
                   "(topography_21ka.nc)",
         "references": "Peltier (2004), Annu. Rev. Earth Planet. Sci. 32, 111-149",
         "history": "cut.py: without the ice mask"})


if __name__ == "__main__":
    main()
