"""Shared by all tests: figures need no screen."""

import os

os.environ.setdefault("MPLBACKEND", "Agg")
