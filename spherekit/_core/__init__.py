"""What every other package stands on: checks, compilation, threads, work memory, caches. Private."""
