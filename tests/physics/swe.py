"""What the shallow-water tests share: configurations and relative changes."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from pelsim_test import FIRST_AND_LAST

DAY = 86400


def keys(nlon, initial, end, dt, **more):
    """Configuration of a run on nlon x nlon/2; further keys of [shallow_water] by name, others as
    section__key."""
    c = {"run.model": "shallow_water", "grid.nlon": nlon, "grid.nlat": nlon // 2,
         "time.end": end, "time.dt": dt, "checkpoint.at_end": False,
         "diagnostics.every": FIRST_AND_LAST, "shallow_water.initial": initial}
    for name, value in more.items():
        c[name.replace("__", ".") if "__" in name else "shallow_water." + name] = value
    return c


def change(run, column):
    """Relative change of a diagnostic from the first to the last row."""
    x = run.diagnostics()[column]
    return (x[-1] - x[0]) / x[0]
