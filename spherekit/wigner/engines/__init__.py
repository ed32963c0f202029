"""Ways to take fields of spin -n to planes of all n, and back."""
