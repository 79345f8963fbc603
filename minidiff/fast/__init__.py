"""The same answers sooner. Not needed to understand anything: an engine is compared before it runs.

kernels    every compiled loop; each has a readable twin
threads    runs blocks of rows in parallel threads
trust      some rows through engine and readable code
noise      philox.RowNoise
mlp        the MLP
winograd   3 x 3 convolutions with a quarter of the products
unet       the U-Net
noising    the forward chain
training   ddpm.train
sampling   ddpm.sample
"""

from .noise import RowNoise
from .noising import noise_chain, noise_jump
from .sampling import denoiser, generate
from .training import gradients, train, trusted_update, update

__all__ = [
    "RowNoise", "denoiser", "generate", "gradients", "noise_chain", "noise_jump", "train", "trusted_update",
    "update",
]  # fmt: skip
