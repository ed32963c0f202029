"""Engines of the transform between fields of spin -n and planes of all n."""
