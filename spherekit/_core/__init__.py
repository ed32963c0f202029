"""Private foundations of all subpackages: argument checks, compilation, threads, work buffers and caches."""
