"""Base class of operators that compare and hash by their arguments."""


class Operator:
    """An operator that equals another one of its class if they have the same arguments.

    A subclass implements ``_key``. The number of threads belongs to the arguments. Copies and pickles include
    the precomputed tables, and therefore give bit-identical results.
    """

    def _key(self):
        """Return the arguments of this operator, hashable."""
        raise NotImplementedError

    def __eq__(self, operator):
        return self._key() == operator._key() if type(operator) is type(self) else NotImplemented

    def __hash__(self):
        return hash((type(self), self._key()))
