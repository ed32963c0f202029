"""Private foundations of all subpackages: argument checks, compilation, threads, work buffers and caches."""

__version__ = "0.2.0"
