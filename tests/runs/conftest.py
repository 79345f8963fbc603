"""Every test here works inside a folder of its own, and may have a small run in it."""

from command_line import a_run, inside_a_folder, trained  # noqa: F401
