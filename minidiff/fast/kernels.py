"""The hot loops, compiled by Numba. Nothing here is needed to understand diffusion.

Every kernel has a readable twin, the NumPy function that defines what it computes, named in its docstring;
tests/fast/test_kernels.py runs all pairs, compiled and interpreted, in float32 and float64. All compiled code
stands in this one file because Numba's cache does not notice a change in another. Kernels release the GIL and
are serial: further cores take further rows (threads.py).
"""

import math
import sys
from functools import cache

import numba
import numpy as np
from numba.extending import intrinsic, overload

# May fuse a * b + c, ignore the sign of zero and approximate a reciprocal; must not assume that NaN and
# infinity never come (nnan, ninf), for training looks for them, nor reorder sums (reassoc).
# Nobody calls a kernel from C: without that wrapper all of them compile in a second less.
# Division by zero gives infinity as in NumPy: Python's exception would be a branch in every loop, and none
# would vectorise.
OPTIONS = {
    "nogil": True,
    "error_model": "numpy",
    "no_cfunc_wrapper": True,
    "fastmath": {"contract", "nsz", "arcp", "afn"},
}


def kernel(f):
    """f compiled when first called, for the dtypes it is called with, and cached on disk if it can be."""
    try:
        return numba.njit(cache=True, **OPTIONS)(f)
    except RuntimeError:  # no folder can be written
        return numba.njit(**OPTIONS)(f)


def part(f):
    """f compiled into the kernels that call it, with no door from Python and no place in the cache."""
    return numba.njit(no_cpython_wrapper=True, **OPTIONS)(f)


def guarded(f, otherwise):
    """f(), or `otherwise` where the internals of Numba and LLVM that f uses are not what it expects."""
    try:
        return f()
    except Exception:
        return otherwise


@cache
def _say():
    text = "compiling kernels once, 5 to 20 s in all (cached for the next run)"
    print(text, file=sys.stderr, flush=True)


def _announce():
    """Has the user told, once, why the first call takes long."""
    from numba.core import event

    class SayOnce(event.Listener):
        def on_start(self, event_):
            if event_.data["dispatcher"].py_func.__module__ == __name__:
                _say()

        def on_end(self, event_):
            pass

    event.register("numba:compile", SayOnce())


guarded(_announce, None)
F32, I32, U32, U64 = np.float32, np.int32, np.uint32, np.uint64


@part
def _philox(a, b, c, d, k_0, k_1):
    """philox.philox for one counter (a, b, c, d)."""
    low, half = U64(0xFFFFFFFF), U64(32)
    for _ in range(10):
        p, q = U64(0xD2511F53) * a, U64(0xCD9E8D57) * c
        a, b, c, d = (q >> half) ^ b ^ k_0, q & low, (p >> half) ^ d ^ k_1, p & low
        k_0, k_1 = (k_0 + U64(0x9E3779B9)) & low, (k_1 + U64(0xBB67AE85)) & low
    return a, b, c, d


@part
def _words(group, draw, k_0, k_1, w):
    """w[:, g] = the four words of the counter (group + g, draw, 0, 0)."""
    zero = U64(0)
    for g in range(w.shape[1]):
        w[0, g], w[1, g], w[2, g], w[3, g] = _philox(U64(group + g), U64(draw), zero, zero, k_0, k_1)


@part
def _radius32(word):
    """sqrt(-2 log u), u = (word / 2 + 1/2) / 2^31.
    log u = e log 2 + log m, where u = m 2^e is read off u's bits."""
    u = F32((F32(I32(word >> U32(1))) + F32(0.5)) * F32(4.656612873077393e-10))
    bits = I32(F32(u).view(I32))
    e = F32(I32(bits >> 23) - 126)
    m = I32((bits & 0x007FFFFF) | 0x3F000000).view(F32)
    below = m < F32(0.70710678)
    e = e - F32(1) if below else e
    m = m + m - F32(1) if below else m - F32(1)
    q = m * m
    p = (F32(7.0376836292e-2) * m - F32(1.1514610310e-1)) * m + F32(1.1676998740e-1)
    p = ((p * m - F32(1.2420140846e-1)) * m + F32(1.4249322787e-1)) * m - F32(1.6668057665e-1)
    p = ((p * m + F32(2.0000714765e-1)) * m - F32(2.4999993993e-1)) * m + F32(3.3333331174e-1)
    return np.sqrt(F32(-2) * (m + (p * m * q - F32(0.5) * q) + e * F32(0.6931471805599453)))


@part
def _box_muller32(word, angle, z_0, z_1):
    """Pairs of float32 normals from pairs of 32-bit words. log, sin and cos are Cephes' polynomials.
    No branch and no call in the loop: it runs on whole vectors."""
    for i in range(word.size):
        r = _radius32(word[i])
        theta = F32(I32(angle[i] << U32(3))) * F32(math.pi / 4 / 2**31)
        q = theta * theta
        s = (F32(-1.9515295891e-4) * q + F32(8.3321608736e-3)) * q - F32(1.6666654611e-1)
        s = s * q * theta + theta
        c = (F32(2.4433157118e-5) * q - F32(1.3887316255e-3)) * q + F32(4.1666645683e-2)
        c = c * q * q - F32(0.5) * q + F32(1)
        swap = I32(angle[i]) < 0
        cos = s if swap else c
        sin = c if swap else s
        cos = -cos if I32(angle[i] << U32(1)) < 0 else cos
        sin = -sin if I32(angle[i] << U32(2)) < 0 else sin
        z_0[i] = r * cos
        z_1[i] = r * sin


@kernel
def normals32(k_0, k_1, draw, first, z):
    """z[k] = float32 normals number first, first + 1, ... of draw + k. Twin: philox.normals.
    first is a multiple of 4."""
    w, t = np.empty((4, 256), U32), np.empty((4, 256), F32)
    n = z.shape[1]
    for k in range(z.shape[0]):
        for start in range(0, n, 1024):  # words and normals of 256 counters stay in the first-level cache
            groups = min(256, (n - start + 3) // 4)
            _words(first // 4 + start // 4, draw + k, k_0, k_1, w[:, :groups])
            _box_muller32(w[0, :groups], w[1, :groups], t[0, :groups], t[1, :groups])
            _box_muller32(w[2, :groups], w[3, :groups], t[2, :groups], t[3, :groups])
            out = z[k, start : start + 1024]
            whole = out.size // 4
            for g in range(whole):
                i = 4 * g
                out[i], out[i + 1], out[i + 2], out[i + 3] = t[0, g], t[1, g], t[2, g], t[3, g]
            for i in range(4 * whole, out.size):
                out[i] = t[i % 4, i // 4]


@kernel
def noise_jump(x_0, t, signal, noise, eps):
    """x_t = signal[t] x_0 + noise[t] eps for rows at their own times. Twin: gaussian.q_sample."""
    x_t = np.empty_like(x_0)
    for i in range(len(x_0)):
        keep, add = signal[t[i]], noise[t[i]]
        for j in range(x_0.shape[1]):
            x_t[i, j] = keep * x_0[i, j] + add * eps[i, j]
    return x_t


@kernel
def noise_chain(x_0, beta, times, eps):
    """x_0 -> x_1 -> ... -> x_T for many chains at once, kept at `times`. Twin: gaussian.noise_chain."""
    n, d = x_0.shape
    kept = np.empty((len(times), n, d), x_0.dtype)
    x, t = x_0.copy(), 0
    for k in range(len(times)):
        while t < times[k]:
            t += 1
            keep, add = x_0.dtype.type(math.sqrt(1 - beta[t])), x_0.dtype.type(math.sqrt(beta[t]))
            for i in range(n):
                for j in range(d):
                    x[i, j] = keep * x[i, j] + add * eps[t - 1, i, j]
        for i in range(n):
            for j in range(d):
                kept[k, i, j] = x[i, j]  # kept[k] = x would compile its error message too, for 4 seconds
    return kept


def _exp_of_minus(x):
    """exp(-x) of a scalar; compiled, float32 takes _exp32."""
    return np.exp(-x)


@overload(_exp_of_minus)
def _exp_of_minus_compiled(x):
    return (lambda x: _exp32(-x)) if x == numba.float32 else (lambda x: math.exp(-x))


@part
def _exp32(x):
    """exp(x) = 2^n exp(r), |r| <= log(2) / 2.
    exp(r) by a polynomial off by 1.05e-7 at most, 2^n by writing its exponent. Without a branch or a call, so
    that a loop around it runs on whole vectors: 1.5 instead of 9 ns for a SiLU."""
    x = F32(min(max(x, F32(-87)), F32(88)))
    n = np.rint(x * F32(1.44269504))
    r = x - n * F32(0.6931471805599453)
    p = (F32(0.0083125) * r + F32(0.04189033)) * r + F32(0.16667115)
    p = ((p * r + F32(0.4999923)) * r + F32(1)) * r + F32(1)
    return p * I32((I32(n) + 127) << 23).view(F32)


@part
def _add_silu(u, h, n, width):
    """h <- h + silu(u) in n rows and `width` columns, u > -1e30 (at -inf it is -inf or NaN, not 0)."""
    one = u.dtype.type(1)
    for i in range(n):
        for j in range(width):
            h[i, j] += u[i, j] / (one + _exp_of_minus(u[i, j]))


@part
def _add_silu_and_slope(u, h, y, n, width):
    """y = h + silu(u), and u <- silu'(u) = sigmoid(u) (1 + u (1 - sigmoid(u))) for the way back."""
    one = u.dtype.type(1)
    for i in range(n):
        for j in range(width):
            sigmoid = one / (one + _exp_of_minus(u[i, j]))
            y[i, j] = h[i, j] + u[i, j] * sigmoid
            u[i, j] = sigmoid * (one + u[i, j] * (one - sigmoid))


@part
def _times_slope(dh, u, db, n, width):
    """u, which holds silu'(u), <- du = dh u;  db <- db + sum over rows of du."""
    for i in range(n):
        for j in range(width):
            u[i, j] *= dh[i, j]
            db[j] += u[i, j]


# Matrix products. A tile of y stays in registers while k runs. A loop over arrays would send y to memory and
# back at each k, and Numba has no way to say otherwise; so these instructions are written for LLVM: 97 % of a
# core's peak for 128 x 128. Where that does not work out, loops run: right, and several times slower.

# terms of a sum at a time: 256 rows of W fit the cache, and their pages the table of known addresses
DEEP = 256


@part
def _loops(x, W, y, add):
    """y = x W or, where add, y + x W."""
    for i in range(len(y)):
        for j in range(y.shape[1]):
            y[i, j] = y[i, j] if add else 0
        for k in range(len(W)):
            for j in range(y.shape[1]):
                y[i, j] += x[i, k] * W[k, j]


def _in_registers(rows, columns):
    """_loops for y (rows, columns), in LLVM's words. The numbers of a row of W and y stand side by side."""
    from llvmlite import ir
    from numba.core import cgutils, types

    @intrinsic
    def tile(typing, x, W, y, add):
        def build(context, builder, signature, arrays):
            assert x.dtype == W.dtype == y.dtype, "each number is read as x.dtype"
            *arrays, add = arrays
            arrays = [
                context.make_array(kind)(context, builder, a) for kind, a in zip(signature.args, arrays)
            ]
            word, vector = ir.IntType(64), ir.VectorType(context.get_data_type(x.dtype), columns)
            nothing = ir.Constant(vector, ir.Undefined)
            first = ir.Constant(ir.VectorType(ir.IntType(32), columns), None)

            def place(n, i, j):
                return cgutils.get_item_pointer(context, builder, signature.args[n], arrays[n], [i, j])

            def row(n, i):
                return builder.bitcast(place(n, i, word(0)), vector.as_pointer())

            size, zero, sums = x.dtype.bitwidth // 8, ir.Constant(vector, None), []
            for i in range(rows):
                y_i = builder.load(row(2, word(i)), align=size)
                sums.append(cgutils.alloca_once_value(builder, builder.select(add, y_i, zero)))
            with cgutils.for_range(builder, builder.extract_value(arrays[0].shape, 1)) as loop:
                w = builder.load(row(1, loop.index), align=size)
                for i, y_i in enumerate(sums):
                    number = builder.load(place(0, word(i), loop.index))
                    one = builder.insert_element(nothing, number, word(0))
                    many = builder.shuffle_vector(one, nothing, first)
                    product = builder.fmul(many, w, flags=["contract"])
                    builder.store(builder.fadd(builder.load(y_i), product, flags=["contract"]), y_i)
            for i, y_i in enumerate(sums):
                builder.store(builder.load(y_i), row(2, word(i)), align=size)
            return context.get_dummy_value()

        return types.void(x, W, y, add), build

    return tile


def _strips_of(rows, columns):
    """strips(x, W, y, add, j): a product from column j on, in whole strips of so many columns; returns the
    next column."""
    tile, rest = _in_registers(rows, columns), _in_registers(1, columns)

    @part
    def strips(x, W, y, add, j):
        n, whole = len(y), len(y) - len(y) % rows
        while y.shape[1] - j >= columns:
            last = j + min(4 * columns, (y.shape[1] - j) // columns * columns)
            for i in range(0, whole, rows):
                for k in range(j, last, columns):
                    tile(x[i : i + rows], W[:, k : k + columns], y[i : i + rows, k : k + columns], add)
            for i in range(whole, n):
                for k in range(j, last, columns):
                    rest(x[i : i + 1], W[:, k : k + columns], y[i : i + 1, k : k + columns], add)
            j = last
        return j

    return strips


@cache
def _tiles(real):
    """_loops for numbers of type `real`, sooner. Raises where a small tile does not compile or is wrong."""
    from numba.core.registry import cpu_target

    small = _in_registers(2, 4)
    multiply = numba.njit(lambda x, W, y, add: small(x, W, y, add))
    W, y = np.arange(40.0).reshape(2, 4, 5).astype(str(real))[:, :, :4]
    want = W[:2] @ W + y[:2]
    multiply(W[:2], W, y[:2], True)
    if not np.array_equal(y[:2], want):  # whole numbers: to the bit
        raise ArithmeticError("a tile multiplies wrongly")

    # a processor with 512-bit vectors has 32 registers, of which 8 x 32 float32 take 16; others hold 4 x 16
    wide_vectors = "+avx512f" in cpu_target.target_context.codegen().magic_tuple()[2]
    rows, columns = (8, 32) if wide_vectors else (4, 16)
    row, wide = _strips_of(1, 4 * columns), _strips_of(rows, columns)
    half, two, one = _strips_of(2 * rows, columns // 2), _strips_of(rows, 2), _strips_of(rows, 1)

    @part
    def tiles(x, W, y, add):
        if W.strides[1] != W.itemsize or y.strides[1] != y.itemsize:  # a row's numbers are not side by side
            _loops(x, W, y, add)
            return
        for k in range(0, max(1, len(W)), DEEP):
            x_k, W_k = x[:, k : k + DEEP], W[k : k + DEEP, :]
            j = row(x_k, W_k, y, add, 0) if len(y) < rows else 0
            j = half(x_k, W_k, y, add, wide(x_k, W_k, y, add, j))
            one(x_k, W_k, y, add, two(x_k, W_k, y, add, j))
            add = True

    return tiles


def _product(x, W, y, add):
    """y = x W or, where add, y + x W. Pass slices in both axes, x[:n, :m]: of one type, it compiles once."""
    y[:] = x @ W + (y if add else 0)


@overload(_product)
def _product_compiled(x, W, y, add):
    product = guarded(lambda: _tiles(x.dtype), _loops)
    return lambda x, W, y, add: product(x, W, y, add)


# spare columns: rows exactly 512 bytes apart would share a few sets of the cache and push each other out
APART = 16


@part
def _linear(x, layer, y, n, width):
    """y = x W + b for n rows and `width` columns of y; layer holds W and under it b."""
    K = len(layer) - 1
    for i in range(n):
        for j in range(width):
            y[i, j] = layer[K, j]
    _product(x[:n, :K], layer[:K, :width], y[:n, :width], True)


@kernel
def turn(W, turned):
    """The first rows and columns of turned <- W^T. Twin: W.T."""
    for i in range(W.shape[0]):
        for j in range(W.shape[1]):
            turned[j, i] = W[i, j]


@kernel
def mlp_gradients(layers, turned, x_t, embedding, t, target, weight, buffers, grads):
    """sum_b weight_b ||target_b - out_b||^2, and its gradients into grads, which are like layers.

    layers: p_in (d + time_dim + 1, width), p (depth, width + 1, width), p_out (width + 1, d), of each layer W
    and under it b. turned: W^T of all but the first, one under the other.
    Twin: objective.loss_and_grads of an MLP.
    """
    (p_in, p, p_out), (g_in, g, g_out) = layers, grads
    x_in, u, h, dh, out = buffers
    (depth, _, width), d, K, loss = p.shape, x_t.shape[1], len(g_in) - 1, 0.0
    g_in[:], g[:], g_out[:] = 0, 0, 0
    for first in range(0, len(x_t), len(dh)):
        n = min(len(dh), len(x_t) - first)
        for i in range(n):
            for j in range(d):
                x_in[i, j] = x_t[first + i, j]
            for j in range(embedding.shape[1]):
                x_in[i, d + j] = embedding[t[first + i], j]
        _linear(x_in, p_in, u[0], n, width)
        h[0] = 0
        _add_silu_and_slope(u[0], h[0], h[0], n, width)
        for l in range(depth):
            _linear(h[l], p[l], u[l + 1], n, width)
            _add_silu_and_slope(u[l + 1], h[l], h[l + 1], n, width)
        _linear(h[depth], p_out, out, n, d)
        for i in range(n):
            for j in range(d):
                error = out[i, j] - target[first + i, j]
                weighted = weight[first + i] * error
                loss += weighted * error
                out[i, j] = 2 * weighted
                g_out[width, j] += out[i, j]
        dout = out[:n, :d]
        _product(h[depth, :n, :width].T, dout, g_out[:width, :d], True)
        _product(dout, turned[depth * width :, :width], dh[:n, :width], False)
        for l in range(depth - 1, -1, -1):
            _times_slope(dh, u[l + 1], g[l, width], n, width)
            du = u[l + 1, :n, :width]
            _product(h[l, :n, :width].T, du, g[l, :width, :width], True)
            _product(du, turned[l * width : (l + 1) * width, :width], dh[:n, :width], True)
        _times_slope(dh, u[0], g_in[K], n, width)
        _product(x_in[:n, :K].T, u[0, :n, :width], g_in[:K, :width], True)
    return loss


@part
def _affine_step(x, eps_hat, c, z, drawn):
    """x <- c_x x + c_eps eps_hat + c_z z, c = (c_x, c_eps, c_z). z has a layer only for steps with c_z != 0;
    returns the layers used so far."""
    c_x, c_eps, c_z = c[0], c[1], c[2]
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            x[i, j] = c_x * x[i, j] + c_eps * eps_hat[i, j] + (c_z * z[drawn, i, j] if c_z != 0 else 0)
    return drawn + 1 if c_z != 0 else drawn


@kernel
def mlp_chain(x_T, time_rows, W_x, p, p_out, c, z):
    """The whole reverse loop x <- c_x x + c_eps eps_theta(x, t) + c_z z of an MLP; c (S, 3) holds the c's.

    time_rows (S, width) is what the first layer adds at each step; p and p_out as in mlp_gradients.
    Twin: ddpm.sample over mlp.MLP.forward.
    """
    x, n, width, drawn = x_T.copy(), len(x_T), W_x.shape[1], 0
    eps_hat = np.empty_like(x)
    u, h = np.empty((n, width + APART), x.dtype), np.empty((n, width + APART), x.dtype)
    for k in range(len(c)):
        for i in range(n):
            for j in range(width):
                u[i, j] = time_rows[k, j]
        _product(x[:, :], W_x[:, :], u[:, :width], True)
        h[:] = 0
        _add_silu(u, h, n, width)
        for l in range(len(p)):
            _linear(h, p[l], u, n, width)
            _add_silu(u, h, n, width)
        _linear(h, p_out, eps_hat, n, x.shape[1])
        drawn = _affine_step(x, eps_hat, c[k], z, drawn)
    return x


@kernel
def mixture_chain(x_T, signal, noise, log_const, mean, axes, precision, c, z):
    """The whole reverse loop x <- c_x x + c_eps eps*(x, t) + c_z z of a Gaussian mixture; c (S, 3).

    At each of S steps: signal, noise (S,), the shares of x_0 and eps in x_t; component k has the covariance
    axes_k diag(1 / precision_k) axes_k^T, precision (S, K, d), and log_const (S, K), the logarithm of its
    weight and height. Twin: ddpm.sample over exact.Mixture.eps.
    """
    x, eps_hat, (K, d), drawn = x_T.copy(), np.empty_like(x_T), mean.shape, 0
    log_p, y = np.empty(K), np.empty((K, d))
    for step in range(len(c)):
        for i in range(len(x)):
            top, total = -np.inf, 0.0
            for k in range(K):
                log_p[k] = log_const[step, k]
                for j in range(d):
                    y[k, j] = 0.0
                    for m in range(d):
                        y[k, j] += axes[k, m, j] * (x[i, m] - signal[step] * mean[k, m])
                    log_p[k] -= 0.5 * precision[step, k, j] * y[k, j] ** 2
                    y[k, j] *= precision[step, k, j]
                top = max(top, log_p[k])
            for k in range(K):
                log_p[k] = math.exp(log_p[k] - top)
                total += log_p[k]
            for m in range(d):
                e = 0.0
                for k in range(K):
                    for j in range(d):
                        e += log_p[k] * axes[k, m, j] * y[k, j]
                eps_hat[i, m] = noise[step] * e / total
        drawn = _affine_step(x, eps_hat, c[step], z, drawn)
    return x


@kernel
def adam(w, dw, m, v, ema, scale, step, lr, beta_1, beta_2, eps, decay):
    """Adam with scale dw, and the EMA, in one pass over the vectors, in place.
    Twin: optim.clip, optim.adam and optim.ema_update."""
    real = w.dtype.type
    g_scale, k_1, k_2 = real(scale), real(1 - beta_1), real(1 - beta_2)
    rate, root = real(lr / (1 - beta_1**step)), real(1 / math.sqrt(1 - beta_2**step))
    tiny, blend = real(eps), real(1 - decay)
    for i in range(w.size):  # read first, written last: LLVM must assume that writing w[i] changes m[i]
        g = g_scale * dw[i]
        m_i = m[i] + k_1 * (g - m[i])
        v_i = v[i] + k_2 * (g * g - v[i])
        w_i = w[i] - rate * m_i / (root * np.sqrt(v_i) + tiny)
        ema[i] += blend * (w_i - ema[i])
        w[i], m[i], v[i] = w_i, m_i, v_i


# The U-Net's kernels take (B, H, W, C) or L pictures abreast: (B / L, H, W, L C), where a pixel's numbers are
# those of L pictures, one after the other. What belongs to one picture (scale, shift, gate) is always (B, C).


@part
def _abreast(x, b, y):
    """y (L C) = the rows (C) of x that belong to the L pictures of row b."""
    C = x.shape[1]
    L = len(y) // C
    for l in range(L):
        for k in range(C):
            y[l * C + k] = x[b * L + l, k]


@part
def _apart(y, b, x):
    """_abreast backwards."""
    C = x.shape[1]
    L = len(y) // C
    for l in range(L):
        for k in range(C):
            x[b * L + l, k] = y[l * C + k]


@part
def _mean_of_groups(x, groups, n):
    """x[k] <- sum of x over k's group, divided by n."""
    size = len(x) // groups
    for g in range(groups):
        total = x.dtype.type(0)
        for k in range(g * size, (g + 1) * size):
            total += x[k]
        for k in range(g * size, (g + 1) * size):
            x[k] = total / x.dtype.type(n)


@kernel
def act(h, scale, shift, groups, mean, rstd, y):
    """y = silu(film(group_norm(h), scale, shift)), in a frame of zeros that stays; mean and rstd for the way
    back. groups: of all the numbers of a pixel, L times those of one picture.
    Twin: images.group_norm, images.film and layers.silu."""
    B, H, W, C = h.shape
    real = h.dtype.type
    one, n = real(1), H * W * (C // groups)
    m, r, a, c = np.empty(C, h.dtype), np.empty(C, h.dtype), np.empty(C, h.dtype), np.empty(C, h.dtype)
    for b in range(B):
        m[:] = 0
        for i in range(H):
            for j in range(W):
                for k in range(C):
                    m[k] += h[b, i, j, k]
        _mean_of_groups(m, groups, n)
        r[:] = 0
        for i in range(H):
            for j in range(W):
                for k in range(C):
                    r[k] += (h[b, i, j, k] - m[k]) * (h[b, i, j, k] - m[k])
        _mean_of_groups(r, groups, n)
        _abreast(scale, b, a)
        _abreast(shift, b, c)
        for k in range(C):
            mean[b, k] = m[k]
            rstd[b, k] = one / np.sqrt(r[k] + real(1e-5))
            a[k] = rstd[b, k] * (one + a[k])
        for i in range(H):
            for j in range(W):
                for k in range(C):
                    v = (h[b, i, j, k] - m[k]) * a[k] + c[k]
                    y[b, i + 1, j + 1, k] = v / (one + _exp_of_minus(v))


@kernel
def act_backward(h, scale, shift, groups, mean, rstd, dy, dh, dscale, dshift):
    """dh += what act's gradient dy brings, dscale and dshift = theirs. dy (framed, overwritten).

    Twin: images.group_norm_backward, images.film_backward and layers.silu_backward.
    """
    B, H, W, C = h.shape
    one, n = h.dtype.type(1), H * W * (C // groups)
    m, r, a, c = np.empty(C, h.dtype), np.empty(C, h.dtype), np.empty(C, h.dtype), np.empty(C, h.dtype)
    p, q = np.empty(C, h.dtype), np.empty(C, h.dtype)
    for b in range(B):
        _abreast(scale, b, a)
        _abreast(shift, b, c)
        for k in range(C):
            m[k], r[k], a[k] = mean[b, k], rstd[b, k], one + a[k]
        p[:] = 0
        q[:] = 0
        for i in range(H):
            for j in range(W):
                for k in range(C):
                    u = (h[b, i, j, k] - m[k]) * r[k]
                    v = u * a[k] + c[k]
                    sigmoid = one / (one + _exp_of_minus(v))
                    dv = dy[b, i + 1, j + 1, k] * sigmoid * (one + v * (one - sigmoid))
                    dy[b, i + 1, j + 1, k] = dv
                    p[k] += dv
                    q[k] += dv * u
        _apart(p, b, dshift)
        _apart(q, b, dscale)
        for k in range(C):
            p[k] *= a[k]
            q[k] *= a[k]
        _mean_of_groups(p, groups, n)
        _mean_of_groups(q, groups, n)
        for i in range(H):
            for j in range(W):
                for k in range(C):
                    u = (h[b, i, j, k] - m[k]) * r[k]
                    dh[b, i, j, k] += (dy[b, i + 1, j + 1, k] * a[k] - p[k] - u * q[k]) * r[k]


@kernel
def gated_add(h, y, gate):
    """h <- h + gate y. Twin: h + images.gated."""
    g = np.empty(h.shape[3], h.dtype)
    for b in range(h.shape[0]):
        _abreast(gate, b, g)
        for i in range(h.shape[1]):
            for j in range(h.shape[2]):
                for k in range(h.shape[3]):
                    h[b, i, j, k] += g[k] * y[b, i, j, k]


@kernel
def gated_backward(dh, y, gate, dy, dgate):
    """dy = gate dh,  dgate = sum over pixels of dh y. Twin: images.gated_backward."""
    B, H, W, C = dh.shape
    g, total = np.empty(C, dh.dtype), np.empty(C, dh.dtype)
    for b in range(B):
        _abreast(gate, b, g)
        total[:] = 0
        for i in range(H):
            for j in range(W):
                for k in range(C):
                    total[k] += dh[b, i, j, k] * y[b, i, j, k]
                    dy[b, i, j, k] = dh[b, i, j, k] * g[k]
        _apart(total, b, dgate)


# Winograd's convolution (winograd.py): each 4 x 4 tile of y from 6 x 6 pixels of x,
#     y = A^T [U * (B^T x B)] A
# _in is B^T and _out is A^T in one direction, of six rows of n numbers that begin at x[i], x[i + step_x],
# x[i + 2 step_x] ... Everything is linear, so the way back is each step transposed, in reverse order.
# Tile t is V[:, t] (36, channels), and k = t C is where it begins in each of the 36 matrices.


@part
def _six(i, step):
    """i, i + step ... i + 5 step, unsigned: of a signed index, compiled code asks whether it counts from the
    end."""
    i, step = U64(i), U64(step)
    i2 = i + step + step
    i4 = i2 + step + step
    return i, i + step, i2, i2 + step, i4, i4 + step


@part
def _in(x, i, step_x, y, j, step_y, n):
    i0, i1, i2, i3, i4, i5 = _six(i, step_x)
    j0, j1, j2, j3, j4, j5 = _six(j, step_y)
    two, four, five = x.dtype.type(2), x.dtype.type(4), x.dtype.type(5)
    for k in range(U64(n)):
        x0, x1, x2, x3, x4, x5 = x[i0 + k], x[i1 + k], x[i2 + k], x[i3 + k], x[i4 + k], x[i5 + k]
        p, q, r, s = x4 - four * x2, x3 - four * x1, x4 - x2, two * (x3 - x1)
        y[j0 + k], y[j5 + k] = four * x0 - five * x2 + x4, four * x1 - five * x3 + x5
        y[j1 + k], y[j2 + k], y[j3 + k], y[j4 + k] = p + q, p - q, r + s, r - s


@part
def _in_backward(y, j, step_y, x, i, step_x, n):
    i0, i1, i2, i3, i4, i5 = _six(i, step_x)
    j0, j1, j2, j3, j4, j5 = _six(j, step_y)
    two, four, five = x.dtype.type(2), x.dtype.type(4), x.dtype.type(5)
    for k in range(U64(n)):
        y0, y1, y2, y3, y4, y5 = y[j0 + k], y[j1 + k], y[j2 + k], y[j3 + k], y[j4 + k], y[j5 + k]
        p, q, r, s = y1 + y2, y2 - y1, y3 + y4, two * (y4 - y3)
        x[i0 + k] += four * y0
        x[i1 + k] += four * (q + y5) + s
        x[i2 + k] -= five * y0 + four * p + r
        x[i3 + k] -= q + s + five * y5
        x[i4 + k] += y0 + p + r
        x[i5 + k] += y5


@part
def _out(x, i, step_x, y, j, step_y, n):
    i0, i1, i2, i3, i4, i5 = _six(i, step_x)
    j0, j1, j2, j3, _, _ = _six(j, step_y)
    two, four, eight = x.dtype.type(2), x.dtype.type(4), x.dtype.type(8)
    for k in range(U64(n)):
        x0, x1, x2, x3, x4, x5 = x[i0 + k], x[i1 + k], x[i2 + k], x[i3 + k], x[i4 + k], x[i5 + k]
        p, q, r, s = x1 + x2, x1 - x2, x3 + x4, x3 - x4
        y[j0 + k], y[j1 + k], y[j2 + k], y[j3 + k] = x0 + p + r, q + two * s, p + four * r, q + eight * s + x5


@part
def _out_backward(y, j, step_y, x, i, step_x, n):
    i0, i1, i2, i3, i4, i5 = _six(i, step_x)
    j0, j1, j2, j3, _, _ = _six(j, step_y)
    two, four, eight = x.dtype.type(2), x.dtype.type(4), x.dtype.type(8)
    for k in range(U64(n)):
        y0, y1, y2, y3 = y[j0 + k], y[j1 + k], y[j2 + k], y[j3 + k]
        p, q, r, s = y0 + y2, y1 + y3, y0 + four * y2, two * y1 + eight * y3
        x[i0 + k], x[i1 + k], x[i2 + k], x[i3 + k], x[i4 + k], x[i5 + k] = y0, p + q, p - q, r + s, r - s, y3


@kernel
def conv(frame, U, b, V, M, y):
    """y = images.conv of the pictures in the frame. Twin: images.conv.

    Some rows of tiles at a time, so that M stays in the cache. V holds the tiles of all rows, for the way
    back, or no more than M.
    """
    (B, H, W, LC), (C, n) = frame.shape, U.shape[1:]
    L, down, across, Ln, W_y = LC // C, (H - 2) // 4, (W - 2) // 4, LC // C * n, W - 2
    s = np.empty(6 * W * max(LC, Ln), frame.dtype)
    x_1, V_1, M_1, y_1 = frame.reshape(-1), V.reshape(-1), M.reshape(-1), y.reshape(-1)
    step, all_rows = M.shape[1] // (L * across), V.shape[1] >= B * down * across * L
    row, row_y, V_step, M_step = W * LC, W_y * Ln, V.shape[1] * C, M.shape[1] * n
    for first in range(0, B * down, step):
        last = min(first + step, B * down)
        start, size = first * across * L if all_rows else 0, (last - first) * across * L
        k = start * C
        for r in range(first, last):
            _in(x_1, (r // down * H + r % down * 4) * row, row, s, 0, row, row)
            for j in range(0, W_y, 4):
                for m in range(6):
                    _in(s, m * row + j * LC, LC, V_1, 6 * m * V_step + k, V_step, LC)
                k += LC
        for m in range(36):
            _product(V[m, start : start + size, :C], U[m, :, :n], M[m, :size, :n], False)
        # at the point 1 in both directions A^T is all ones: each pixel of the tile gets b once
        for t in range(size):
            for j in range(n):
                M[7, t, j] += b[j]
        k = 0
        for r in range(first, last):
            for j in range(0, W_y, 4):
                for m in range(6):
                    _out(M_1, 6 * m * M_step + k, M_step, s, m * row_y + j * Ln, Ln, Ln)
                k += Ln
            _out(s, 0, row_y, y_1, (r // down * (H - 2) + r % down * 4) * row_y, row_y, row_y)


@kernel
def conv_backward(dy, turned, V, M, dV, dU, db, dframe):
    """From dy the gradients of conv: each of its steps transposed, in reverse order.
    Twin: images.conv_backward.

    M and dV hold some rows of tiles; turned (36, n, C) is U^T.
    """
    (B, H, W, LC), (n, C) = dframe.shape, turned.shape[1:]
    L, down, across, Ln, W_y = LC // C, (H - 2) // 4, (W - 2) // 4, LC // C * n, W - 2
    s = np.empty(6 * W * max(LC, Ln), dy.dtype)
    dx_1, dV_1, M_1, dy_1 = dframe.reshape(-1), dV.reshape(-1), M.reshape(-1), dy.reshape(-1)
    dU[:] = 0
    db[:] = 0
    dframe[:] = 0
    step = M.shape[1] // (L * across)
    row, row_y, V_step, M_step = W * LC, W_y * Ln, dV.shape[1] * C, M.shape[1] * n
    for first in range(0, B * down, step):
        last = min(first + step, B * down)
        start, size = first * across * L, (last - first) * across * L
        k = 0
        for r in range(first, last):
            _out_backward(dy_1, (r // down * (H - 2) + r % down * 4) * row_y, row_y, s, 0, row_y, row_y)
            for j in range(0, W_y, 4):
                for m in range(6):
                    _out_backward(s, m * row_y + j * Ln, Ln, M_1, 6 * m * M_step + k, M_step, Ln)
                k += Ln
        for t in range(size):
            for j in range(n):
                db[j] += M[7, t, j]  # as b came: dy, added up over the tile
        for m in range(36):
            _product(V[m, start : start + size, :C].T, M[m, :size, :n], dU[m, :, :n], True)
            _product(M[m, :size, :n], turned[m, :, :C], dV[m, :size, :C], False)
        k = 0
        for r in range(first, last):
            s[:] = 0
            for j in range(0, W_y, 4):
                for m in range(6):
                    _in_backward(dV_1, 6 * m * V_step + k, V_step, s, m * row + j * LC, LC, LC)
                k += LC
            _in_backward(s, 0, row, dx_1, (r // down * H + r % down * 4) * row, row, row)
