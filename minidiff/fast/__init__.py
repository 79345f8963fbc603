"""The same answers sooner. Not needed to understand anything.

kernels    every compiled loop; each has a readable twin
threads    runs blocks of rows in parallel threads
distances  metrics.distances in parallel threads
mlp        the MLP at speed
winograd   3 x 3 convolutions with a quarter of the products
unet       the U-Net at speed
"""
