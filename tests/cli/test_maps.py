"""Maps: read for the initial state and not again on resume; absurd values are one short sentence."""
import os

import netCDF4
import numpy as np

from clitest import check, finish, has, pelsim, workdir

CONFIG = """[run]
model = shallow_water
[grid]
nlon = 40
nlat = 20
[time]
steps = 4
dt = 60 s
[diagnostics]
every = 1
[shallow_water]
initial = {}
topography_file = relief.nc
"""
folder = workdir()
lat, lon = np.arange(-87.5, 90, 5), np.arange(0, 360, 5.0)
PEAK = np.exp(-(((lat[:, None] - 30) / 20) ** 2 + ((lon[None, :] - 180) / 30) ** 2))


def write(path, name, value):
    with netCDF4.Dataset(path, 'w') as f:
        for axis, unit, x in (('lat', 'degrees_north', lat), ('lon', 'degrees_east', lon)):
            f.createDimension(axis, len(x))
            v = f.createVariable(axis, 'f8', (axis,))
            v.units, v[:] = unit, x
        v = f.createVariable(name, 'f8', ('lat', 'lon'))
        v.units, v[:] = 'm', value


write('height.nc', 'hgt', 5500 - 300 * np.sin(np.radians(lat))[:, None] ** 2 + 0 * lon)
write('relief.nc', 'z', 1000 * PEAK)
for initial, more in (('observed', 'height_file = height.nc\n'), ('lake_at_rest', '')):
    with open(f'{initial}.ini', 'w', encoding='utf-8') as f:
        f.write(CONFIG.format(initial) + more)
    code, whole, err = pelsim('run', f'{initial}.ini', '--dir', f'{initial}_whole')
    check(f'{initial}', (code, err), (0, ''))
    check(f'{initial}, 2 steps', pelsim('run', f'{initial}.ini', '--steps', 2)[0], 0)
    for name in ('height.nc', 'relief.nc'):
        os.rename(name, name + '.away')
    code, out, err = pelsim('run', f'{initial}.ini', '--resume')
    if initial == 'observed':  # everything the maps gave is in the checkpoint
        check('resumed without the maps', (code, err), (0, ''))
        check('resumed without the maps', out.splitlines()[-1:], whole.splitlines()[-1:])
    else:  # the exact solution, against which errors are measured, needs the relief
        check('a lake resumed without its relief', (code, out), (4, ''))
        check('a lake resumed without its relief', err, has('topography_file', 'relief.nc'))
    code, out, err = pelsim('run', f'{initial}.ini', '--dir', 'fresh')
    check(f'{initial} without maps', (code, out, os.path.exists('fresh')), (4, '', False))
    for name in ('height.nc', 'relief.nc'):
        os.rename(name + '.away', name)

write('relief.nc', 'z', 1e300 * PEAK)
for ranks in (1, 3):
    code, out, err = pelsim('run', 'observed.ini', '-n', ranks, '-t', 1, '--dir', f'huge{ranks}')
    check(f'a relief of 1e300 m, {ranks} ranks', (code, err.count('\n')), (3, 1))
    check(f'a relief of 1e300 m, {ranks} ranks', err, has('the topography (', 'e+2', 'rises above'))
    check(f'a relief of 1e300 m, {ranks} ranks: letters', len(err), lambda n: n < 300)
finish(folder)
