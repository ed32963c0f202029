"""Engines: alternative ways to compute a transform, each with a synthesis and an analysis."""
