"""Retrieval scores of SHREC'17 (Savva et al. 2017), as computed by the evaluator of the organizers.

Identifiers are numbers of six digits; 5, "5" and "000005" are equal. Queries of another split are ignored,
and counted. The list of models of a query is truncated to 1000; then repeated models, and models that are
unknown or of another split, are removed. The gain of a result is 3 if it has the subclass of the query, 2 if
its subclass is the class of the query, 1 if it has the class of the query, and 0 otherwise. All models of the
class are relevant, including the query itself. With their number R, at most 1000, and the length N of the
list,

    P@N = hits / N,  R@N = hits / R,  F1@N = 2 P@N R@N / (P@N + R@N)
    mAP = sum of the precisions at the hits / R
    NDCG = DCG / IDCG,  DCG = x_0 + sum_{1 <= i < R} x_i / log2(i+1)

with the gains x_i. IDCG is the DCG of the first R models of the class in the order of the file, sorted by
their gain: if the class has more than R models it is not the largest possible DCG, and NDCG can exceed 1.
Micro scores are means over queries, macro scores are means over the means of the classes.
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import NamedTuple

import numpy as np

from spherekit._core import checks

#: Largest number of results of a query.
CUT = 1000
SCORES = ("P@N", "R@N", "F1@N", "mAP", "NDCG")


class Model(NamedTuple):
    """Class, subclass and split of a model.

    >>> Model("chair", "sofa", "val").split
    'val'
    """

    synset: str
    subsynset: str
    split: str


class Retrieval(NamedTuple):
    """Retrieval scores, by the names "micro", "macro" and the classes of queries.

    Attributes
    ----------
    scores : dict
        ``{name: {"P@N": ..., "R@N": ..., "F1@N": ..., "mAP": ..., "NDCG": ...}}``.
    curves : dict of arrays [shape=(2, 1000)]
        Precision and recall after each result, by name.
    dropped : int
        Number of ignored queries, of another split.
    """

    scores: dict
    curves: dict
    dropped: int


def retrieval(
    lists: Mapping[str | int, Iterable[str | int]],
    models: Mapping[str | int, Iterable[Hashable]],
    split: str,
) -> Retrieval:
    """Compute the retrieval scores of SHREC'17 (Savva et al. 2017) from ranked lists.

    The scores are those of the evaluator of the organizers: precision, recall and F1 of the list, mean
    average precision, and normalized discounted cumulative gain.

    Parameters
    ----------
    lists : dict
        ``{query: identifiers of models}``, the best model first. Identifiers are text or integers; those that
        consist of digits are padded to six.
    models : dict
        ``{identifier: (class, subclass, split)}``, in the order of the file of the organizers.
    split : str
        Split that is searched, such as "test" or "val".

    Returns
    -------
    Retrieval
        ``scores`` and ``curves`` by the names "micro", "macro" and each class, and the number ``dropped`` of
        queries of another split.

    Raises
    ------
    TypeError
        ``lists`` or ``models`` is not a dict; an identifier is neither text nor an integer; a list is text or
        has no order (a set).
    ValueError
        There are no lists, or none of ``split``; a query is not a model; an identifier is repeated.

    Examples
    --------
    >>> models = {"a": ("chair", "sofa", "val"), "b": ("chair", "stool", "val"), "c": ("car", "bus", "val")}
    >>> result = retrieval({"a": ["a", "c", "b"]}, models, "val")
    >>> {name: round(value, 4) for name, value in result.scores["micro"].items()}
    {'P@N': 0.6667, 'R@N': 1.0, 'F1@N': 0.8, 'mAP': 0.8333, 'NDCG': 0.75}
    """
    for name, value in (("lists", lists), ("models", models)):
        if not isinstance(value, Mapping):
            raise TypeError(f"{name} is {type(value).__name__}; expected a dict by identifiers")
    if not lists:
        raise ValueError("no ranked lists; expected a dict {query: [models, the best first]}")
    all_models = _by_identifier(models, "model")
    lists = _by_identifier(lists, "query")
    all_models = {name: _model(name, model) for name, model in all_models.items()}
    models = {name: model for name, model in all_models.items() if model.split == split}
    members = {}
    for name, model in models.items():
        members.setdefault(model.synset, []).append(name)
    results = {}
    for query, ranked in lists.items():
        if query not in all_models:
            raise ValueError(f"query {query!r} is not a model of any split")
        if query in models:
            synset = models[query].synset
            names = _scored_results(query, ranked, models)
            results.setdefault(synset, []).append(_scores(models, query, names, members[synset]))
    if not results:
        raise ValueError(f"none of the {len(lists)} queries is a model of the split {split!r}")
    all_results = [result for class_results in results.values() for result in class_results]
    classes = {synset: _mean(class_results) for synset, class_results in results.items()}
    means = {"micro": _mean(all_results), "macro": _mean(list(classes.values()))} | classes
    scores = {
        name: dict(zip(SCORES, map(float, values), strict=True))
        for name, (values, _) in means.items()
    }
    curves = {name: curve for name, (_, curve) in means.items()}
    return Retrieval(scores, curves, len(lists) - len(all_results))


def read_models(path):
    """Read the table of models of the organizers (csv, optionally compressed with gzip).

    Parameters
    ----------
    path : str or path
        File; a name that ends in ".gz" denotes a compressed one.

    Returns
    -------
    dict
        ``{identifier: Model}``, in the order of the table.

    Raises
    ------
    FileNotFoundError
        The file does not exist.
    ValueError
        The file is not a csv table, has no column id, synsetId, subSynsetId or split, has rows with missing
        or extra entries, or contains an identifier twice.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "models.csv")
    >>> _ = path.write_text("id,synsetId,subSynsetId,modelId,split\\n5,chair,sofa,m5,val\\n")
    >>> read_models(path)
    {'000005': Model(synset='chair', subsynset='sofa', split='val')}
    """
    import csv
    import gzip
    import zlib

    opened = gzip.open if str(path).endswith(".gz") else open
    try:
        with opened(path, "rt", encoding="utf-8", newline="") as file:
            table = csv.DictReader(file)
            names = table.fieldnames or ()
            rows = list(table)
    except (UnicodeDecodeError, csv.Error, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is not a table of models (csv): {error}") from None
    missing = {"id", "synsetId", "subSynsetId", "split"} - set(names)
    if missing:
        raise ValueError(f"{path} has no column {', '.join(sorted(missing))}; expected the "
                         "columns id,synsetId,subSynsetId,modelId,split")  # fmt: skip
    broken = [n for n, row in enumerate(rows, 1) if None in row or None in row.values()]
    if broken:
        raise ValueError(
            f"{len(broken)} of {len(rows)} rows of {path} do not have one entry for each column; the first "
            f"is row {broken[0]}"
        )
    models = [
        (identifier(r["id"]), Model(r["synsetId"], r["subSynsetId"], r["split"])) for r in rows
    ]
    try:
        return _unique(models, "model")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def identifier(name):
    """Return the identifier of a model or query in the form of the evaluator, with digits padded to six.

    >>> identifier(5), identifier("000005"), identifier("m5")
    ('000005', '000005', 'm5')
    """
    if isinstance(name, str):
        name = name.strip()
        return name.zfill(6) if name.isascii() and name.isdigit() else name
    return f"{checks.integer(name, 'an identifier', 0, hint='or text'):06d}"


def _by_identifier(values, kind):
    """Return the dict by padded identifiers, which must be unique."""
    return _unique([(identifier(name), value) for name, value in values.items()], kind)


def _unique(pairs, kind):
    """Return the dict of (identifier, value) pairs with unique identifiers."""
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError(
            f"{len(pairs) - len(values)} of {len(pairs)} identifiers of a {kind} are repeated; numbers are "
            "padded to six digits, so that 5 and '000005' are equal"
        )
    return values


def _model(name, values):
    """Return a `Model` from a class, subclass and split."""
    entries = tuple(values) if isinstance(values, Iterable) and not isinstance(values, str) else ()
    if len(entries) != 3 or None in entries:
        raise TypeError(f"model {name!r} is {values!r}; expected (class, subclass, split)")
    return Model(*entries)


def _scored_results(query, ranked, models):
    """Return the results that are scored: the first 1000, restricted to the split, without repetitions."""
    kind = "text" if isinstance(ranked, str | bytes) else type(ranked).__name__
    has_order = isinstance(ranked, Iterable) and not isinstance(ranked, set | frozenset | Mapping)
    if kind == "text" or not has_order:
        raise TypeError(
            f"the list of query {query!r} is {kind}; expected a list of identifiers, the best first"
        )
    names = map(identifier, list(ranked)[:CUT])
    return list(dict.fromkeys(name for name in names if name in models))


def _gain(query, result):
    if result.subsynset == query.subsynset:
        return 3
    if result.subsynset == query.synset:
        return 2
    return int(result.synset == query.synset)


def _scores(models, query, ranked, members):
    """Return the five scores of a list, and precision and recall after each result."""
    model = models[query]
    relevant = min(len(members), CUT)
    if not ranked:
        return np.zeros(5), np.zeros((2, CUT))
    hit = np.array([models[name].synset == model.synset for name in ranked])
    hits = np.cumsum(hit)
    precision, recall = hits / np.arange(1, len(hit) + 1), hits / relevant
    P, R = precision[-1], recall[-1]
    F1 = 2 * P * R / (P + R) if P + R else 0.0
    dcg = _discounted([_gain(model, models[name]) for name in ranked[:relevant]])
    gains = (_gain(model, models[name]) for name in members[:relevant])
    ideal = _discounted(sorted(gains, reverse=True))
    scores = np.array([P, R, F1, precision[hit].sum() / relevant, dcg / ideal])
    curve = np.stack([precision, recall])
    return scores, np.pad(curve, ((0, 0), (0, CUT - len(hit))), mode="edge")


def _discounted(gains):
    """Return the discounted cumulative gain."""
    gains = np.array(gains, float)
    return gains[0] + np.sum(gains[1:] / np.log2(np.arange(2, len(gains) + 1)))


def _mean(results):
    return tuple(np.mean(values, axis=0) for values in zip(*results, strict=True))
