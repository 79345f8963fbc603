"""The same answers sooner. Not needed to understand anything: each engine is compared with the readable code before it runs.

kernels    every compiled loop; each has a readable twin
threads    runs blocks of rows in parallel threads
noise      a row's noise as a function of the seed and the row
mlp        the MLP
winograd   3 x 3 convolutions with a quarter of the products
unet       the U-Net
trust      a few rows through engine and readable code
noising    the forward chain
training   train.train
sampling   sample.sample
"""

from .noise import RowNoise
from .noising import noise_chain, noise_jump
from .sampling import denoiser, generate
from .training import train, update

__all__ = ["RowNoise", "denoiser", "generate", "noise_chain", "noise_jump", "train", "update"]
