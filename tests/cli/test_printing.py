"""printing: columns that stand under each other."""

from minidiff.cli.printing import table


def test_table_aligns_numbers():
    assert table(["name", "x"], [["a", 1.23456], ["long", 10]]) == "name      x\na     1.235\nlong     10"
