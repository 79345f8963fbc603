"""Plants one small mistake at a time into the mathematics and prints those that no test notices.

    python tests/mutate.py                        all automatic mistakes in these files (hours on one core)
    python tests/mutate.py --sample 100 --seed 1  a random hundred of them
    python tests/mutate.py --named                mistakes of one line that people make, each with its test

Works on a copy of the project in a temporary folder; nothing here is touched. Exit status 1 if a named
mistake survives, or more than a tenth of the automatic ones.
"""

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import local

from minidiff.learn.mistakes import MISTAKES

ROOT = Path(__file__).parents[1]
TESTS = {  # file -> the tests that look at it
    "ddpm": ["test_ddpm"],
    "schedule": ["test_schedule", "test_gaussian", "cli/test_theory::test_doctor"],
    "gaussian": ["test_gaussian", "test_sampling", "test_dtypes"],
    "layers": ["test_layers", "test_mlp"],
    "mlp": ["test_mlp", "fast/test_kernels"],
    "objective": ["test_objective", "test_ddpm"],
    "optim": ["test_optim", "test_ddpm"],
    "sampling": [
        "test_sampling", "evaluation/test_recursion", "fast/test_sampling", "continuous/test_solvers",
    ],
    "philox": ["test_philox"],
    "exact": ["test_exact", "fast/test_sampling"],
    "elbo": ["test_elbo"],
    "continuous/ode": ["continuous/test_ode", "continuous/test_flow"],
    "continuous/process": ["continuous/test_process"],
    "continuous/flow": ["continuous/test_flow", "test_objective"],
    "continuous/sde": ["continuous/test_sde", "continuous/test_solvers"],
    "continuous/solvers": ["continuous/test_solvers"],
    "pictures/layers": ["pictures/test_layers"],
    "pictures/guidance": ["pictures/test_guidance"],
    "pictures/unet": ["pictures/test_unet"],
    "evaluation/metrics": ["evaluation/test_metrics"],
    "evaluation/classifier": ["evaluation/test_classifier"],
    "evaluation/floors": ["evaluation/test_floors"],
    "evaluation/recursion": ["evaluation/test_recursion", "continuous/test_solvers"],
    "evaluation/gap": ["evaluation/test_gap"],
    "evaluation/greys": ["evaluation/test_greys"],
    "fast/winograd": ["fast/test_winograd"],
    "runs/batches": ["runs/test_batches"],
    "sheet/dictionary": ["sheet/test_dictionary"],
}  # fmt: skip
# (what, file, before, after, the test that sees it)
NAMED = [(m.what, m.file, m.right, m.wrong, m.test) for m in MISTAKES] + [
    ("the sampler running upwards", "ddpm", "zip(times[:-1], times[1:])",
     "zip(times[::-1][:-1], times[::-1][1:])", "test_ddpm.py::test_sample_is_algorithm_2"),
    ("a network that is shown the clean data", "ddpm", "gradients(model, state.params, x_t, t,",
     "gradients(model, state.params, x_0, t,", "test_ddpm.py::test_train_is_algorithm_1"),
    ("times that never reach T", "ddpm", "rng.integers(1, T + 1, size)", "rng.integers(1, T, size)",
     "test_ddpm.py::test_batches_are_rows_times_and_noises"),
    ("a loss that is noted before the step was possible", "ddpm", "        update(state, grads)\n",
     "        state.loss = loss\n        update(state, grads)\n",
     "test_ddpm.py::test_a_gradient_that_is_not_finite_stops_before_anything_changes"),
    ("coefficients in float32", "schedule", "ab_t = self.alpha_bar_at(t)",
     "ab_t = np.float32(self.alpha_bar_at(t))",
     "test_schedule.py::test_alpha_bar_at_and_the_shares_are_shaped_like_t"),
    ("a share of noise worked out in the data's dtype", "gaussian",
     "return like(x, signal), like(x, noise)", "return like(x, signal), np.sqrt(1 - like(x, signal) ** 2)",
     "test_dtypes.py::test_dtype_follows_the_data_and_float32_agrees_with_float64"),
    ("one coefficient for all rows", "gaussian", "values.reshape(values.shape + axes)",
     "values.reshape(axes + values.shape)", "test_gaussian.py::test_like_has_the_dtype_and_as_many_axes"),
    ("the wrong share on the way to eps", "objective", "signal / determinant", "noise / determinant",
     "test_objective.py::test_as_eps_has_the_papers_formulas"),
    ("parameters that are read by columns", "layers", "vector[start:end].reshape(shape)",
     "vector[start:end].reshape(shape, order='F')",
     "test_layers.py::test_views_lie_side_by_side_in_their_order"),
    ("the average of the parameters before the step", "optim",
     "state.params[:], state.m[:], state.v[:] = w, m, v",
     "w, state.params[:], state.m[:], state.v[:] = state.params.copy(), w, m, v",
     "test_optim.py::test_update_is_clip_adam_ema"),
    ("a gradient that is clipped after Adam has seen it", "optim", "dw = clip(grads, max_norm)", "dw = grads",
     "test_optim.py::test_update_is_clip_adam_ema"),
    ("tau = -log cos(theta) without its square", "continuous/sde", "np.log1p(np.tan(theta) ** 2)",
     "np.log1p(np.tan(theta) ** 2) / 2", "continuous/test_solvers.py::test_order_of_convergence"),
    ("theta's sign", "continuous/sde", "return v_from_eps(process,",
     "return -v_from_eps(process,", "continuous/test_solvers.py::test_order_of_convergence"),
    ("the rate at ceil(t) for a whole step", "continuous/solvers",
     "return method(u, x_t, sde.angle(process, t), sde.angle(process, s))",
     "return method(lambda x, t: sde.velocity(process, sde.score_of(eps_theta, process), x, t), x_t, t, s)",
     "continuous/test_solvers.py::test_order_of_convergence"),
    ("a likelihood with theta for t", "evaluation/samples", "sde.velocity_by_angle(process, eps_theta)",
     "lambda x, t: sde.velocity(process, sde.score_of(eps_theta, process), x, t)",
     "cli/test_commands.py::test_every_objective_trains_resumes_samples_and_is_judged"),
    ("the reverse drift with a flipped sign", "continuous/sde", "return x - moved",
     "return x + moved", "continuous/test_solvers.py::test_steps_by_probing"),
    ("g for g^2 in VE", "continuous/process",
     "return rate * (self.sigma2(t)", "return np.sqrt(rate) * (self.sigma2(t)",
     "continuous/test_process.py::test_ve_adds_the_variance_it_says"),
    ("the divergence with a flipped sign", "continuous/sde", "+ state[:, -1], state",
     "- state[:, -1], state", "continuous/test_sde.py::test_likelihood_is_the_mixtures_closed_form"),
    ("RK4 with a forgotten half", "continuous/ode", "k_2 = u(x + h / 2 * k_1, middle)",
     "k_2 = u(x + h * k_1, middle)", "continuous/test_solvers.py::test_order_of_convergence"),
    ("DPM-Solver-1 with the sign of h", "continuous/solvers",
     "removed = np.sqrt((1 - ab_t) / a) - np.sqrt(1 - ab_s)",
     "removed = np.sqrt(1 - ab_s) - np.sqrt((1 - ab_t) / a)",
     "continuous/test_solvers.py::test_dpm_solver_1_is_ddim"),
    ("2M with the ratio of steps upside down", "continuous/solvers",
     "h / (2 * h_before)", "h_before / (2 * h)",
     "continuous/test_solvers.py::test_dpm_solver_pp_aims_at_the_middle_of_its_step"),
    ("the score of a velocity over (1 - t)^2", "continuous/flow",
     "u - x) / like(x, np.subtract(1, t))", "u - x) / like(x, np.subtract(1, t)) ** 2",
     "continuous/test_flow.py::test_velocity_score_and_noise_convert_both_ways"),
    ("eps solved for with a flipped sign", "objective", "return -c_0 / determinant",
     "return c_0 / determinant", "test_objective.py::test_every_perfect_answer_is_eps_star"),
    ("a weight that is not squared", "objective",
     "weight(schedule, t) * b**2", "weight(schedule, t) * b",
     "test_objective.py::test_a_weight_means_the_same_error_for_every_objective"),
    ("EDM's sigma without its root", "sheet/dictionary", "\"sqrt((1 - ab) / ab)\"", "\"(1 - ab) / ab\"",
     "sheet/test_dictionary.py::test_there_means_what_the_paper_says_and_back_is_back"),
    ("the known part as noisy as the step's start", "pictures/guidance",
     "known, s, rng.standard", "known, t, rng.standard",
     "pictures/test_guidance.py::test_the_known_part_is_noised_to_the_time_of_the_rest"),
    ("SSIM with the product of stds for the covariance", "evaluation/metrics", "mean(x * y) - m_x * m_y",
     "np.sqrt(np.abs((mean(x * x) - m_x**2) * (mean(y * y) - m_y**2)))",
     "evaluation/test_metrics.py::test_ssim_is_its_three_factors_window_by_window"),
    ("a convolution's patches turned over", "pictures/layers", "for u in range(k) for v in range(k)]",
     "for v in range(k) for u in range(k)]", "pictures/test_layers.py::test_conv_is_its_sum"),
    ("a batch one row short", "runs/batches", ": last - e * n] for e", ": last - e * n - 1] for e",
     "runs/test_batches.py::test_no_row_twice_before_all_were_seen"),
    ("every epoch in the same order", "runs/batches", "stream(seed, EPOCH, epoch)",
     "stream(seed, EPOCH)", "runs/test_batches.py::test_the_order_is_a_function_of_seed_and_epoch"),
    ("SSIM's windows not averaged", "evaluation/metrics",
     "(same_mean * same_shape).mean(axis=(1, 2))", "(same_mean * same_shape)[:, 0, 0]",
     "evaluation/test_metrics.py::test_ssim_is_its_three_factors_window_by_window"),
    ("a tile's bias at another point", "fast/kernels", "M[7, t, j] += b[j]", "M[8, t, j] += b[j]",
     "fast/test_winograd.py::test_conv_there_and_back"),

    ("labels that are kept where they should be dropped", "runs/batches",
     "np.where(dropped[k], null, label[rows].astype(int))",
     "np.where(dropped[k], label[rows].astype(int), null)",
     "runs/test_batches.py::test_one_label_in_ten_is_dropped"),
    ("group_norm that forgets that its mean moves", "pictures/layers", "- by_mean - by_std) / std",
     "- by_std) / std", "pictures/test_layers.py::test_gradients_of_layers"),
    ("the Gaussian-optimal variance with c for c^2", "sampling", "+ c_0**2 * var_x_0", "+ c_0 * var_x_0",
     "test_sampling.py::test_gaussian_optimal_is_the_variance_of_the_true_reverse_step"),
    ("the product of roots for the root of the product", "evaluation/metrics",
     "Q = U @ V", "Q = (B / np.linalg.norm(B, axis=0)).T @ (A / np.linalg.norm(A, axis=0))",
     "evaluation/test_metrics.py::test_frechet_tells_the_root_of_the_product_from_the_product_of_roots"),
]  # fmt: skip

SWAPS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
}  # fmt: skip


def mistakes(source):
    """(line, what, mutated source) for every place where one can be made."""
    found = []

    def note(node, what, change, undo):
        change()
        found.append((node.lineno, what, ast.unparse(tree)))
        undo()

    def set_field(node, field, value):
        before = getattr(node, field)
        return lambda: setattr(node, field, value), lambda: setattr(node, field, before)

    tree = ast.parse(source)
    raising = {id(n) for r in ast.walk(tree) if isinstance(r, ast.Raise) for n in ast.walk(r)}
    for node in ast.walk(tree):
        if id(node) in raising:
            continue  # the wording of an error
        if (
            isinstance(node, ast.BinOp | ast.AugAssign)
            and type(node.op) in SWAPS
            and not isinstance(getattr(node, "left", None), ast.JoinedStr)
        ):
            note(
                node,
                f"{type(node.op).__name__} -> {SWAPS[type(node.op)].__name__}",
                *set_field(node, "op", SWAPS[type(node.op)]()),
            )
        if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
            note(node, f"{type(node.ops[0]).__name__} -> {SWAPS[type(node.ops[0])].__name__}",
                 *set_field(node, "ops", [SWAPS[type(node.ops[0])]()] + node.ops[1:]))  # fmt: skip
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, int | float)
            and not isinstance(node.value, bool)
        ):
            note(node, f"{node.value} -> {node.value + 1}", *set_field(node, "value", node.value + 1))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            note(node, "dropped minus", *set_field(node, "op", ast.UAdd()))
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("sqrt", "exp", "log", "abs")
        ):
            note(
                node,
                f"dropped {node.func.attr}",
                *set_field(node, "func", ast.Name("float" if node.func.value.id == "math" else "_same")),
            )
    return [
        (line, what, text if "_same" not in text else text + "\n\ndef _same(x):\n    return x\n")
        for line, what, text in found
    ]


def copy_of_the_project(folder):
    for name in ("minidiff", "tests", "examples", "pyproject.toml", "README.md"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copy(source, folder / name)
    return folder


def survives(folder, file, text, tests):
    """Do the tests pass with `text` in place of the file?"""
    path = folder / "minidiff" / f"{file}.py"
    before = path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    try:
        names = [
            f"tests/{t if '.py' in t else t.replace('::', '.py::') if '::' in t else t + '.py'}"
            for t in tests
        ]
        env = os.environ | {
            "PYTHONPATH": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MINIDIFF_THREADS": "1",
        }
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *names]
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, timeout=600, check=False)
        return done.returncode == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        path.write_text(before, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--named", action="store_true", help="only the listed mistakes")
    parser.add_argument("--sample", type=int, help="how many automatic mistakes (default: all)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--files", nargs="*", default=list(TESTS), choices=list(TESTS), metavar="FILE")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="copies tested side by side")
    args = parser.parse_args()
    jobs = []
    for what, file, before, after, test in NAMED if args.named else []:
        text = (ROOT / "minidiff" / f"{file}.py").read_text(encoding="utf-8")
        if text.count(before) != 1:
            sys.exit(f"{file}.py does not hold {before!r} exactly once")
        jobs.append((file, 0, what, text.replace(before, after), [test]))
    for file in [] if args.named else args.files:
        text = (ROOT / "minidiff" / f"{file}.py").read_text(encoding="utf-8")
        jobs += [(file, line, what, mutated, TESTS[file]) for line, what, mutated in mistakes(text)]
    if args.sample and args.sample < len(jobs):
        jobs = random.Random(args.seed).sample(jobs, args.sample)
    mine = local()

    def run(job):
        file, line, what, text, tests = job
        if not hasattr(mine, "folder"):
            mine.folder = copy_of_the_project(Path(tempfile.mkdtemp(dir=home)))
        alive = survives(mine.folder, file, text, tests)
        if alive:
            print(f"survived: {file}.py:{line} {what}", flush=True)
        return alive

    with tempfile.TemporaryDirectory() as home, ThreadPoolExecutor(args.jobs) as pool:
        if not args.named:
            untouched = copy_of_the_project(Path(tempfile.mkdtemp(dir=home)))
            text = (ROOT / "minidiff/optim.py").read_text(encoding="utf-8")
            if not survives(untouched, "optim", text, sorted({t for ts in TESTS.values() for t in ts})):
                sys.exit("the tests fail without any mistake")
        alive = sum(pool.map(run, jobs))
    print(f"{len(jobs) - alive} of {len(jobs)} planted mistakes were noticed")
    return int(alive > (0 if args.named else len(jobs) / 10))


if __name__ == "__main__":
    sys.exit(main())
