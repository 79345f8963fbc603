"""printing: what is found is said in words, and only what was found."""

import math

from minidiff.cli.printing import likelihood_text, pictures_text, records, table

PICTURES = {
    "n": 600, "d": 64, "frechet": {"pixels": {"distance": 0.5, "floor": 0.25}},
    "to_the_nearest": {"samples": 2.0, "data": 1.5},
    "classifier": {"accuracy": 0.99, "classes": [300, 300], "agreement": 0.98},
    "denoising": {"t": 4, "psnr": 20.0, "ssim": 0.75, "psnr_of_x_t": 6.0, "ssim_of_x_t": 0.5},
}  # fmt: skip


def test_pictures_text_says_what_was_found():
    text = pictures_text(PICTURES)
    for said in ("n = 600", "real against real", "99.0%", "[300, 300]", "6.0 to 20.0 dB"):
        assert said in text
    assert "agrees with the label asked for in 98.0%" in text
    text.encode("cp1252")
    assert "agrees" not in pictures_text(PICTURES | {"classifier": {"accuracy": 0.99, "classes": [300, 300]}})
    less = pictures_text({k: v for k, v in PICTURES.items() if k not in ("classifier", "denoising")})
    assert "grey pictures only" in less and "classes" not in less and "grey pictures only" not in text
    assert "too few for covariances of 64" in pictures_text(PICTURES | {"n": 127}) and "too few" not in text


def test_likelihood_text_has_nats_beside_bits():
    """-2 nats over 2 coordinates are 1 / log 2 = 1.443 bits each."""
    found = {"n": 20, "levels": None, "log_scale": 0.0, "network": {"elbo": -2.0, "ode": 1.0}}
    text = likelihood_text(found, 2)
    assert all(said in text for said in ("network: ELBO", "-2", "1.443", "densities")) and "truth" not in text
    exact = {"exact": {"elbo": -1.9, "ode": 1.0, "wrong_end": 0.25}, "truth": -1.8, "truth_at_1": 1.1}
    text = likelihood_text(found | exact, 2)
    assert "by +0.25 nats" in text and "truth at t = 1" in text
    assert "17 grey values" in likelihood_text(found | {"levels": 17}, 2)


def test_likelihood_text_speaks_in_the_datas_own_units():
    """x -> 10 x spreads a density over 10 times 2 lengths: 2 log 10 = 4.605 nats less; a mass stays."""
    found = {"n": 20, "levels": None, "log_scale": 2 * math.log(10), "network": {"elbo": -2.0, "ode": 1.0}}
    text = likelihood_text(found, 2)
    assert "-6.605" in text and "-3.605" in text
    assert "in the data's own units, +4.605 nats of scaling taken off" in text
    grey = likelihood_text(found | {"levels": 17}, 2).splitlines()
    assert grey[1].split()[-2:] == ["-2", "1.443"] and "-3.605" in grey[2]


def test_table_aligns_numbers():
    assert table(["name", "x"], [["a", 1.23456], ["long", 10]]) == "name      x\na     1.235\nlong     10"


def test_records_are_the_columns_that_have_a_head():
    rows = [{"b": 2, "a": "x", "c": 3}, {"a": "y"}]
    assert records({"a": "name", "b": "number"}, rows) == "name  number\nx          2\ny"
