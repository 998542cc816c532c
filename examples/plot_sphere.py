#!/usr/bin/env python3
"""Draws a field of a latitude-longitude run as a map.

    plot_sphere.py out/quickstart/fields.nc -o jet.png
    plot_sphere.py out/quickstart/fields.nc --field vorticity --time 6d --latitudes 10 80
    plot_sphere.py out/quickstart/fields.nc --view globe --centre 270 40 --time 3d 6d

Needs xarray, h5netcdf (or netCDF4), numpy and matplotlib.
"""
import argparse
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

DAY = np.timedelta64(86400, "s")


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("file", help="fields.nc of a run")
    p.add_argument("--field", help="variable (default: vorticity, else the first on the map)")
    p.add_argument("--time", nargs="+", default=["last"], metavar="WHEN",
                   help="first, last, an index from 0, or days: 6d; several: several panels")
    p.add_argument("--view", choices=("map", "globe"), default="map")
    p.add_argument("--latitudes", nargs=2, type=float, default=(-90, 90), metavar=("S", "N"))
    p.add_argument("--centre", nargs=2, type=float, default=(270, 35), metavar=("LON", "LAT"),
                   help="of the globe")
    p.add_argument("--range", nargs=2, type=float, metavar=("LOW", "HIGH"), help="of the colours")
    p.add_argument("-o", "--out", help="picture (default: FIELD.png)")
    return p.parse_args()


def axis(x, name):
    """The dimension of x along latitude or longitude, whatever its staggering."""
    return next((d for d in x.dims if d in x.coords
                 and x[d].attrs.get("standard_name") == name), None)


def choose_field(data, name):
    maps = [v for v in data.data_vars
            if axis(data[v], "latitude") and axis(data[v], "longitude") and "time" in data[v].dims]
    if not maps:
        sys.exit("plot_sphere.py: no field on a latitude-longitude map in this file")
    if name is None:
        return data["vorticity" if "vorticity" in maps else maps[0]]
    if name not in maps:
        sys.exit(f"plot_sphere.py: no field '{name}'; there are: {', '.join(maps)}")
    return data[name]


def choose_time(x, text):
    """Index of the record, and how many days after the first one it lies."""
    days = (x.time.values - x.time.values[0]) / DAY
    try:
        if text.endswith("d"):
            n = int(np.argmin(abs(days - float(text[:-1]))))
        else:
            n = {"first": 0, "last": len(days) - 1}.get(text)
            n = int(text) if n is None else n
        return n % len(days) if n < 0 else n, days[n]
    except (ValueError, IndexError):
        sys.exit(f"plot_sphere.py: no time '{text}' among {len(days)} records, "
                 f"day {days[0]:g} to {days[-1]:g}")


def edges(centres):
    """Boundaries of the cells around equally spaced points."""
    step = centres[1] - centres[0]
    return np.concatenate([centres - step / 2, centres[-1:] + step / 2])


def colours(values, wanted):
    low, high = wanted or (float(np.nanmin(values)), float(np.nanmax(values)))
    if low < 0 < high:
        most = max(-low, high)
        low, high = wanted or (-most, most)
        return {"vmin": low, "vmax": high, "cmap": "RdBu_r"}
    return {"vmin": low, "vmax": high, "cmap": "viridis"}


def power(values):
    """A power of ten that makes the numbers of the colour bar readable."""
    most = float(np.nanmax(np.abs(values)))
    return 0 if most == 0 or 1e-2 <= most < 1e5 else int(np.floor(np.log10(most)))


def draw_map(ax, lon, lat, values, style, south, north):
    image = ax.pcolormesh(edges(lon), np.clip(edges(lat), -90, 90), values, rasterized=True, **style)
    ax.set(xlim=(edges(lon)[0], edges(lon)[-1]), ylim=(south, north), aspect="equal")
    ax.set_xticks(np.arange(0, 361, 60), [f"{t}°E" for t in range(0, 361, 60)])
    step = 30 if north - south > 90 else 10
    ticks = [t for t in range(-90, 91, step) if south <= t <= north]
    ax.set_yticks(ticks, [f"{abs(t)}°{'S' if t < 0 else 'N' if t else ''}" for t in ticks])
    return image


def draw_globe(ax, lon, lat, values, style, centre):
    """Orthographic projection seen from above `centre`."""
    lam, phi = np.meshgrid(np.radians(edges(lon) - centre[0]),
                           np.radians(np.clip(edges(lat), -90, 90)))
    p0 = np.radians(centre[1])
    x = np.cos(phi) * np.sin(lam)
    y = np.cos(p0) * np.sin(phi) - np.sin(p0) * np.cos(phi) * np.cos(lam)
    front = np.sin(p0) * np.sin(phi) + np.cos(p0) * np.cos(phi) * np.cos(lam) > 0
    seen = front[:-1, :-1] & front[1:, :-1] & front[:-1, 1:] & front[1:, 1:]
    image = ax.pcolormesh(x, y, np.where(seen, values, np.nan), rasterized=True, **style)
    ax.add_patch(plt.Circle((0, 0), 1, fill=False, color="0.3", lw=0.8))
    ax.set(xlim=(-1.02, 1.02), ylim=(-1.02, 1.02), aspect="equal")
    ax.axis("off")
    return image


def number(exponent):
    """10 to this power, as one writes it."""
    return f"10{str(exponent).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))} "


def main():
    a = arguments()
    try:
        data = xr.open_dataset(a.file)
    except (OSError, ValueError) as e:
        sys.exit(f"plot_sphere.py: cannot read {a.file}: {e}")
    x = choose_field(data, a.field)
    records = [choose_time(x, t) for t in a.time]
    x = x.isel(time=[r for r, day in records])
    x = x.transpose("time", axis(x, "latitude"), axis(x, "longitude"))
    lat, lon = x[x.dims[1]].values, x[x.dims[2]].values
    exponent = power(x.values)
    values = x.values / 10.0**exponent
    south, north = a.latitudes
    inside = (lat >= south) & (lat <= north) if a.view == "map" else slice(None)
    style = colours(values[:, inside], a.range)
    panels = len(records)
    if a.view == "map":
        size = (10, panels * (0.5 + 9 * (north - south) / 360) + 0.3)
        fig, axes = plt.subplots(panels, 1, figsize=size, layout="constrained", squeeze=False)
    else:
        fig, axes = plt.subplots(1, panels, figsize=(1 + 4.5 * panels, 5), layout="constrained",
                                 squeeze=False)
    for ax, z, (record, day) in zip(axes.flat, values, records):
        if a.view == "map":
            image = draw_map(ax, lon, lat, z, style, south, north)
        else:
            image = draw_globe(ax, lon, lat, z, style, a.centre)
        ax.set_title(f"{x.attrs.get('long_name', x.name)}, day {day:g}", fontsize=11)
    unit = x.attrs.get("units", "").replace("-1", "⁻¹").replace("-2", "⁻²")
    fig.colorbar(image, ax=axes, label=f"{number(exponent) if exponent else ''}{unit}", pad=0.015,
                 shrink=0.8)
    out = a.out or f"{x.name}.png"
    fig.savefig(out, dpi=110, bbox_inches="tight")
    for z, (record, day) in zip(x.values, records):
        print(f"{out}: {x.name} at day {day:g}, {np.nanmin(z):.6g} to {np.nanmax(z):.6g} "
              f"{x.attrs.get('units', '')}")


if __name__ == "__main__":
    main()
