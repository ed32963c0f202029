"""Operators as values: equal, and of one hash, where the arguments that make them are."""


class Operator:
    """What an operator is made of decides whether two are equal; a subclass gives ``_key``.

    The number of threads is part of it, as of all arguments. Copies and pickles carry the tables
    along, so that they compute the same bits.
    """

    def _key(self):
        """The arguments that make this operator, hashable."""
        raise NotImplementedError

    def __eq__(self, other):
        return self._key() == other._key() if type(other) is type(self) else NotImplemented

    def __hash__(self):
        return hash((type(self), self._key()))
