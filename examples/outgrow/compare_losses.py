"""Two runs that went on from one checkpoint: do their losses go on alike?

    python examples/outgrow/compare_losses.py FROM ONE OTHER        (folders of runs)

Exit 1 if one of the first 20 losses after FROM differs by more than 1e-3 of itself: rounding,
which each step multiplies.
"""

import sys
from pathlib import Path

import numpy as np

from minidiff.layers import views
from minidiff.runs.checkpoint import load

before, one, other = (load(Path(folder) / "checkpoint.npz") for folder in sys.argv[1:])
start, a, b = before.state.step, np.array(one.losses), np.array(other.losses)
assert len(a) == len(b) > start and np.array_equal(a[:start], b[:start])
assert np.array_equal(a[:start], before.losses)
apart = np.abs(a - b)[start:] / a[start:]
print(f"{'step':>6} {'minidiff':>12} {'PyTorch':>12} {'apart':>9}")
for k in sorted({1, 2, 5, 10, 20, len(a) - start} & set(range(1, len(a) - start + 1))):
    print(f"{start + k:6} {a[start + k - 1]:12.6f} {b[start + k - 1]:12.6f} {apart[k - 1]:9.1e}")
ema, theirs = (views(run.state.ema, run.model.shapes) for run in (one, other))
w, name = max((float(np.abs(ema[k] - w).max() / np.abs(w).max()), k) for k, w in theirs.items())
after = f"all after {a[start:].mean():.4f}, {b[start:].mean():.4f}"
print(f"mean loss: 50 steps before {a[:start][-50:].mean():.4f}; {after}")
# softmax does not see a bias of the keys: its gradient is mere rounding, of which Adam still makes a step
print(
    f"averaged weights apart by at most {w:.1e} of their largest entry, in {name}"
    + " (a bias of keys)" * (name == "b_qkv")
)
sys.exit(bool(apart[:20].max() > 1e-3))
