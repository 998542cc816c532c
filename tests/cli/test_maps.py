"""Maps: read for the initial state and not again on resume; packed values are what they mean; what
is no map, and absurd values, are one short sentence."""
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


def write(path, name, value, kind='f8', radians=False, form='NETCDF4', **attributes):
    """One map; `value` is what the file stores, whatever the attributes make of it."""
    with netCDF4.Dataset(path, 'w', format=form) as f:
        f.set_auto_maskandscale(False)
        for axis, unit, x in (('lat', 'degrees_north', lat), ('lon', 'degrees_east', lon)):
            f.createDimension(axis, len(x))
            v = f.createVariable(axis, 'f8', (axis,))
            v.units, v[:] = ('radians', np.radians(x)) if radians else (unit, x)
        v = f.createVariable(name, kind, ('lat', 'lon'), fill_value=attributes.pop('fill', None))
        v.set_auto_maskandscale(False)
        v.setncatts({'units': 'm', **attributes})
        v[:] = value


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

# ---- packed values: whatever the file stores, the run is that of the numbers it means

HEIGHT = np.round(127 - 120 * np.sin(np.radians(lat))[:, None] ** 2 + 100 * PEAK)  # 7 .. 227


def height_is(what, value, kind='f8', **more):
    """Runs from this map; the fingerprint."""
    write('height.nc', 'hgt', value, kind, **more)
    code, out, err = pelsim('run', 'observed.ini', '--dir', 'packed', '--overwrite', '-s',
                            'shallow_water.mean_height=10 km')
    check(what, (code, err), (0, ''))
    return out.splitlines()[-1:]


means = {'scale_factor': 4.0, 'add_offset': 5000.0}
want = height_is('plain numbers', 5000 + 4 * HEIGHT)
BYTES, SHORTS = HEIGHT.astype('u1').view('i1'), (HEIGHT * 256).astype('u2').view('i2')
for form in ('NETCDF3_CLASSIC', 'NETCDF4'):
    for what, value, kind, more in (
            ('unsigned bytes', BYTES, 'i1', {'_Unsigned': 'true', 'fill': np.int8(-1)}),
            ('unsigned bytes, valid_range', BYTES, 'i1',
             {'_Unsigned': 'true', 'valid_range': np.array([0, -2], 'i1')}),
            ('unsigned bytes, valid_range of a wider type', BYTES, 'i1',
             {'_Unsigned': 'true', 'valid_range': np.array([-1, 254], 'i2')}),
            ('unsigned shorts', SHORTS, 'i2', {'_Unsigned': 'true', 'scale_factor': 4 / 256})):
        got = height_is(f'{what}, {form}', value, kind, form=form, **{**means, **more})
        check(f'{what}, {form}', got, want)
signed = HEIGHT - 127
got = height_is('bytes that are signed after all', signed.astype('i1').view('u1'), 'u1',
                _Unsigned='false', scale_factor=4.0, add_offset=5508.0)
check('bytes that are signed after all', got, want)
got = height_is('signed bytes', signed.astype('i1'), 'i1', scale_factor=4.0, add_offset=5508.0)
check('signed bytes', got, want)

# 64 bits; a packed range that is used up to the neighbour of _FillValue
LONGS = HEIGHT.astype('u8') << np.uint64(56)
got = height_is('unsigned longs', LONGS.view('i8'), 'i8', _Unsigned='true', add_offset=5000.0,
                scale_factor=2.0 ** -54)
check('unsigned longs', got, want)
INTS = (HEIGHT - 117) * 2 ** 24
INTS = np.where(HEIGHT == HEIGHT.min(), -2 ** 31 + 2, INTS).astype('i4')
for fill in (-2 ** 31 + 1, 2 ** 31 - 1):
    height_is('integers next to _FillValue', INTS, 'i4', fill=np.int32(fill), add_offset=10000.0,
              scale_factor=2.0 ** -20)
height_is('floats that bounds in doubles round past', 500 + .4 * HEIGHT, 'f4', units='dam',
          valid_range=[500 + .4 * HEIGHT.min(), 500 + .4 * HEIGHT.max()])

# coordinates are packed like any other variable
write('height.nc', 'hgt', 5000 + 4 * HEIGHT)
with netCDF4.Dataset('height.nc', 'a') as f:
    f.renameVariable('lat', 'old')
    v = f.createVariable('lat', 'i1', ('lat',))
    v.set_auto_maskandscale(False)
    v.setncatts({'units': 'degrees_north', '_Unsigned': 'true', 'scale_factor': 1.25,
                 'add_offset': -90.0})
    v[:] = ((lat + 90) / 1.25).astype('u1').view('i1')  # 2 .. 142
    check('stored latitudes', (v[0], v[-1]), (2, -114))
code, out, err = pelsim('run', 'observed.ini', '--dir', 'packed', '--overwrite', '-s',
                        'shallow_water.mean_height=10 km')
check('packed latitudes', (code, out.splitlines()[-1:], err), (0, want, ''))


def refused(what, code, *parts, more=()):
    """The height is refused in one sentence."""
    check(f'{what}, exit code', pelsim('check', 'observed.ini', *more)[0], code)
    got, out, err = pelsim('run', 'observed.ini', '--dir', 'refused', *more)
    check(what, (got, out, err.count('\n'), os.path.exists('refused')), (code, '', 1, False))
    check(what, err, has('height.nc', *parts))


GAP = BYTES.copy()
GAP[20, 7] = -6  # 250
for what, more in (('_FillValue', {'fill': np.int8(-6)}),
                   ('missing_value', {'missing_value': np.int8(-6)}),
                   ('missing_value of a wider type', {'missing_value': np.int16(250)}),
                   ('valid_range', {'valid_range': np.array([0, -7], 'i1')}),
                   ('valid_max', {'valid_max': np.int8(-7)})):
    write('height.nc', 'hgt', GAP, 'i1', **{'_Unsigned': 'true', **means, **more})
    refused(f'unsigned {what}', 4, '1 of the 2592 values of hgt are missing, the first at latitude '
            '12.5, longitude 35')
for name, value, said in (('scale_factor', '4.0', "the text '4.0'"),
                          ('scale_factor', [4.0, 4.0], '2 numbers'),
                          ('scale_factor', 0.0, '0'),
                          ('scale_factor', float('nan'), 'nan'),
                          ('add_offset', '', "the text ''"),
                          ('add_offset', [1, 2, 3], '3 numbers'),
                          ('add_offset', float('inf'), 'inf')):
    write('height.nc', 'hgt', BYTES, 'i1', **{**means, name: value})
    refused(f'{name} = {value!r}', 4, f'variable hgt has {name} = {said}; expected one finite ')
for kind, value, said in (('i1', 'perhaps', "the text 'perhaps'; expected 'true' or 'false'"),
                          ('i8', 'perhaps', "the text 'perhaps'; expected 'true' or 'false'"),
                          ('i2', np.int8(1), "1; expected 'true' or 'false'"),
                          ('u8', 'false', "the text 'false'; expected int64")):
    write('height.nc', 'hgt', HEIGHT.astype(kind), kind, _Unsigned=value)
    refused(f'_Unsigned = {value}', 4, f'variable hgt has _Unsigned = {said}')
for name, value, said in (('missing_value', 'none', "the text 'none'; expected at most 50 numbers"),
                          ('missing_value', np.zeros(99), '99 numbers; expected at most 50'),
                          ('valid_min', '0', "the text '0'; expected one number"),
                          ('valid_max', [0.0, 9.0], '2 numbers; expected one number'),
                          ('valid_max', float('nan'), 'nan; expected one number'),
                          ('valid_range', '0 9', "the text '0 9'; expected two numbers"),
                          ('valid_range', [0.0], '0; expected two numbers'),
                          ('valid_range', [0.0, 1.0, 2.0], '3 numbers; expected two numbers')):
    write('height.nc', 'hgt', 5000 + HEIGHT, **{name: value})
    refused(f'{name} = {value!r}', 4, f'variable hgt has {name} = {said}')
for kind, fill in (('i2', -32767), ('u2', 65535), ('i4', -2147483647), ('u4', 4294967295),
                   ('i8', -9223372036854775806), ('u8', 18446744073709551614)):
    GAP = HEIGHT.astype(kind)
    GAP[20, 7] = fill  # what netCDF puts where nothing is written
    write('height.nc', 'hgt', GAP, kind)
    refused(f'nothing written, {kind}', 4, '1 of the 2592 values of hgt are missing')

# ---- variables that are no map of the sphere

with netCDF4.Dataset('height.nc', 'w') as f:
    for axis, unit, x in (('level', 'hPa', ()), ('lat', 'degrees_north', lat),
                          ('lon', 'degrees_east', lon)):
        f.createDimension(axis, len(x) or None)
        v = f.createVariable(axis, 'f8', (axis,))
        v.units, v[:] = unit, x
    f.createVariable('hgt', 'f8', ('level', 'lat', 'lon')).units = 'm'
for more in ((), ('-s', 'shallow_water.map_level=500')):
    refused('no levels', 4, 'variable hgt is empty: level has length 0', more=more)
write('height.nc', 'hgt', 5000 + HEIGHT)
refused('a coordinate as height', 2, 'variable lat is no map: its dimensions are (lat 36); '
        'expected latitudes and longitudes', more=('-s', 'shallow_water.height_variable=lat'))
write('height.nc', 'hgt', 5000 + HEIGHT, radians=True)
for more in ((), ('-s', 'shallow_water.height_variable=hgt')):
    refused('radians', 2, "variable hgt is no map: the units of lat are 'radians'; expected "
            'degrees_north: convert', more=more)
with netCDF4.Dataset('height.nc', 'w') as f:
    f.createDimension('cell', 9)
    f.createVariable('hgt', 'f8', ('cell',))[:] = 5000
refused('a file without maps', 2, 'has no variable on latitudes and longitudes')
refused('cells', 2, 'variable hgt is no map: its dimensions are (cell 9)',
        more=('-s', 'shallow_water.height_variable=hgt'))
for name, value, said in (('zeros', 0 * HEIGHT, 'is 0 m everywhere'),
                          ('depths', -HEIGHT, 'is nowhere above 0 m (-200 to -7 m)')):
    write('height.nc', 'hgt', value)
    refused(name, 2, '[shallow_water] height_file', said)
    check(f'{name} on a mean height', pelsim('check', 'observed.ini', '-s',
                                             'shallow_water.mean_height=10 km')[0], 0)
write('height.nc', 'hgt', 5500 - 300 * np.sin(np.radians(lat))[:, None] ** 2 + 0 * lon)

write('relief.nc', 'z', 1e300 * PEAK)
for ranks in (1, 3):
    code, out, err = pelsim('run', 'observed.ini', '-n', ranks, '-t', 1, '--dir', f'huge{ranks}')
    check(f'a relief of 1e300 m, {ranks} ranks', (code, err.count('\n')), (3, 1))
    check(f'a relief of 1e300 m, {ranks} ranks', err, has('the topography (', 'e+2', 'rises above'))
    check(f'a relief of 1e300 m, {ranks} ranks: letters', len(err), lambda n: n < 300)
# ---- no maps: one sentence each

for name, more, said in (
        ('nothing observed', '', '[shallow_water] height_file: initial = observed needs '
         'height_file, wind_file, or both'),
        ('winds alone', 'wind_file = winds.nc\n', '[shallow_water] mean_height: must be given with '
         'winds alone: they determine the height up to a constant')):
    with open('none.ini', 'w', encoding='utf-8') as f:
        f.write('[run]\nmodel = shallow_water\n[time]\nsteps = 1\n[shallow_water]\n'
                'initial = observed\n' + more)
    check(name, pelsim('check', 'none.ini'), (2, '', f'none.ini: {said}\n'))

finish(folder)
