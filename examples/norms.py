#!/usr/bin/env python3
"""Prints mean, standard deviation and extremes of a field over the sphere, record by record.

    norms.py out/galewsky/fields.nc vorticity

Each point counts with the area of the band around its latitude.  Needs xarray and h5netcdf (or
netCDF4)."""
import sys

import numpy as np
import xarray as xr


def band(lat):
    """Area of the band of latitude around each point, as a share of the sphere."""
    half = (lat[1] - lat[0]) / 2
    edge = np.radians(np.clip(np.stack([lat - half, lat + half]), -90, 90))
    return (np.sin(edge[1]) - np.sin(edge[0])) / 2


def norms(x):
    """(day, mean, deviation, least, greatest) of each record."""
    lat = next(d for d in x.dims if x[d].attrs.get("standard_name") == "latitude")
    weight = xr.DataArray(band(x[lat].values), dims=lat)
    others = [d for d in x.dims if d != "time"]
    mean = x.astype("f8").weighted(weight).mean(others)
    deviation = np.sqrt(((x - mean).astype("f8") ** 2).weighted(weight).mean(others))
    days = (x.time - x.time[0]) / np.timedelta64(86400, "s")
    return np.stack([days, mean, deviation, x.min(others), x.max(others)], axis=1)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    data = xr.open_dataset(sys.argv[1])
    if sys.argv[2] not in data:
        sys.exit(f"norms.py: no variable '{sys.argv[2]}' in {sys.argv[1]}; there are: "
                 f"{', '.join(data.data_vars)}")
    x = data[sys.argv[2]]
    print(f"{x.name} [{x.attrs.get('units', '1')}]")
    print("   day            mean       deviation           least        greatest")
    for row in norms(x):
        print(f"{row[0]:6.2f}" + "".join(f"{v:16.6g}" for v in row[1:]))


if __name__ == "__main__":
    main()
