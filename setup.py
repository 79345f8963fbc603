from pathlib import Path

from setuptools import find_packages, setup

setup(
    name="minidiff",
    version="0.1.0",
    description="Diffusion models from scratch in NumPy and Numba: a reference to read, run and check formulas with",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    packages=find_packages(include=["minidiff", "minidiff.*"]),
    package_data={
        "minidiff": [
            "digits.npz",
            "digits.txt",
            "sheet/tests.txt",
            "learn/*.toml",
            "learn/explore.*",
            "cli/pytorch/*.txt",
        ]
    },
    python_requires=">=3.11",
    # the lower bounds are tested by .ci/run; matplotlib before 3.10.7 warns at each formula beside pyparsing 3.3
    install_requires=["numpy>=2.0", "numba>=0.61", "matplotlib>=3.10.7", "tqdm>=4.60"],
    extras_require={"test": ["pytest>=7.0", "hypothesis>=6.80"]},
    entry_points={"console_scripts": ["minidiff=minidiff.cli:main"]},
)
