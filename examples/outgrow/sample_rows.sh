#!/usr/bin/env bash
# Draws N samples of a run in parts of SIZE rows, JOBS at a time (default 2), and joins them: the bits of `sample --n N`.
#   bash examples/outgrow/sample_rows.sh RUN N SIZE OUT [options of minidiff sample, such as --sampler ddim]
set -euo pipefail
run=$1 n=$2 size=$3 out=$4
shift 4
command="${MINIDIFF:-minidiff} sample $run --n $n --threads 1 $*"
seq 0 "$size" $((n - 1)) | xargs -P "${JOBS:-2}" -I A bash -c \
    "$command --rows A:\$((A + $size < $n ? A + $size : $n)) --out $out/rows-A" > /dev/null
python - "$out" <<'JOIN'
import sys
from pathlib import Path
import numpy as np
out = Path(sys.argv[1])
parts = sorted(out.glob("rows-*"), key=lambda part: int(part.name[5:]))
for name in ("samples.npy", "labels.npy"):
    if (parts[0] / name).exists():
        np.save(out / name, np.concatenate([np.load(part / name) for part in parts]))
        print(f"wrote {out / name} from {len(parts)} parts")
JOIN
