import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
INIT = (HERE / "minidiff" / "__init__.py").read_text(encoding="utf-8")  # the version is read, not imported

setup(
    name="minidiff",
    version=re.search(r'^__version__ = "(.+)"$', INIT, re.M)[1],
    description="Diffusion models from scratch in NumPy and Numba: to read, run and check formulas with",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    author="the minidiff authors",
    keywords="diffusion models, DDPM, DDIM, flow matching, score-based models, teaching",
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Environment :: Console",
        "Intended Audience :: Education",
        "Intended Audience :: Science/Research",
        "Natural Language :: English",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Topic :: Education",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Scientific/Engineering :: Mathematics",
    ],
    packages=find_packages(include=["minidiff", "minidiff.*"]),
    package_data={
        "minidiff": [
            "py.typed",
            "__init__.pyi",
            "digits.npz",
            "digits.txt",
            "sheet/tests.txt",
            "learn/*.toml",
            "learn/explore.*",
            "cli/pytorch/*.txt",
        ]
    },
    python_requires=">=3.11",
    # .ci/run tests the lower bounds; matplotlib before 3.10.7 warns at each formula beside pyparsing 3.3
    install_requires=["numpy>=2.0", "numba>=0.61", "matplotlib>=3.10.7", "tqdm>=4.60"],
    extras_require={"test": ["pytest>=7.0", "hypothesis>=6.80"]},
    entry_points={"console_scripts": ["minidiff=minidiff.__main__:main"]},
)
