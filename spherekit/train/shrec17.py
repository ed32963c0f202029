"""Retrieval scores of SHREC'17 (Savva et al. 2017), by the rules of the organisers' evaluator.

Identifiers are numbers of six digits; 5, "5" and "000005" are the same. Queries of another split are dropped,
and counted. A query's list of models is cut to 1000; then repeats go, and models of another split or unknown.
A result is worth 3 where it has the query's subclass, 2 where its subclass is the query's class, 1 where it
has the class, else 0. All models of the class are relevant, the query itself too, R of them, at most 1000:

    P@N = hits / N,  R@N = hits / R,  F1@N of these two, N the length of the list
    mAP = sum over hits of the precision there / R
    NDCG = DCG / IDCG,  DCG = x_0 + sum_{1 <= i < R} x_i / log2(i+1)

IDCG is of the first R models of the class in the order of the file, sorted by their gain: where there are
more than R it is not the largest possible, and NDCG can exceed 1. Micro scores are means over queries, macro
scores over the means of classes.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from spherekit._core import checks

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
    """Scores of "micro", "macro" and each class of a query.

    Attributes
    ----------
    scores : dict
        {name: {"P@N": ..., "R@N", "F1@N", "mAP", "NDCG"}}
    curves : dict of arrays
        {name: precision and recall after each result ``[shape=(2, 1000)]``}
    dropped : int
        Number of queries of another split.
    """

    scores: dict
    curves: dict
    dropped: int


def retrieval(lists, models, split):
    """The scores of ranked lists.

    Parameters
    ----------
    lists : dict
        {query: identifiers of models, the best first}. Identifiers are text or whole numbers; those of digits
        only are padded to six.
    models : dict
        {identifier: (class, subclass, split)}, in the order of the organisers' file.
    split : str
        The split that is searched, such as "test" or "val".

    Returns
    -------
    Retrieval

    Raises
    ------
    ValueError
        No lists, or none of that split; a query that is not a model, or comes twice.
    TypeError
        An identifier that is neither text nor a whole number; a list that is text, or has no order (a set).

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
    known, lists = _by_identifier(models, "model"), _by_identifier(lists, "query")
    known = {name: _model(name, model) for name, model in known.items()}
    models = {name: model for name, model in known.items() if model.split == split}
    members, results = {}, {}
    for name, model in models.items():
        members.setdefault(model.synset, []).append(name)
    for query, ranked in lists.items():
        if query not in known:
            raise ValueError(f"query {query!r} is not a model of any split")
        if query in models:
            synset, names = models[query].synset, _listed(query, ranked, models)
            results.setdefault(synset, []).append(_scores(models, query, names, members[synset]))
    if not results:
        raise ValueError(f"none of the {len(lists)} queries is a model of the split {split!r}")
    all_results = [result for of_class in results.values() for result in of_class]
    classes = {synset: _mean(of_class) for synset, of_class in results.items()}
    means = {"micro": _mean(all_results), "macro": _mean(list(classes.values()))} | classes
    scores = {
        name: dict(zip(SCORES, map(float, values), strict=True))
        for name, (values, _) in means.items()
    }
    curves = {name: curve for name, (_, curve) in means.items()}
    return Retrieval(scores, curves, len(lists) - len(all_results))


def read_models(path):
    """The organisers' table of models (csv, or gzip of one).

    Parameters
    ----------
    path : str or path

    Returns
    -------
    dict
        {identifier: Model}, in the order of the table.

    Raises
    ------
    ValueError
        Columns other than id, synsetId, subSynsetId, modelId, split; rows that are cut short or too long;
        an identifier that comes twice; a file that is not such text.
    FileNotFoundError

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
            names, rows = table.fieldnames or (), list(table)
    except (UnicodeDecodeError, csv.Error, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is not a table of models (csv): {error}") from None
    missing = {"id", "synsetId", "subSynsetId", "split"} - set(names)
    if missing:
        raise ValueError(f"{path} has no column {', '.join(sorted(missing))}; expected the "
                         "organisers' id,synsetId,subSynsetId,modelId,split")  # fmt: skip
    broken = [n for n, row in enumerate(rows, 1) if None in row or None in row.values()]
    if broken:
        raise ValueError(
            f"{len(broken)} of {len(rows)} rows of {path} have not one entry for each column; the first "
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
    """The identifier of a model or a query, as the organisers' evaluator reads it: digits padded to six.

    >>> identifier(5), identifier("000005"), identifier("m5")
    ('000005', '000005', 'm5')
    """
    if isinstance(name, str):
        name = name.strip()
        return name.zfill(6) if name.isascii() and name.isdigit() else name
    return f"{checks.integer(name, 'an identifier', 0, hint='or text'):06d}"


def _by_identifier(values, kind):
    """The dict by padded identifiers, each of them once."""
    return _unique([(identifier(name), value) for name, value in values.items()], kind)


def _unique(pairs, kind):
    """The dict of (identifier, value) pairs."""
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError(
            f"{len(pairs) - len(values)} of {len(pairs)} identifiers of a {kind} come twice; numbers "
            "are padded to six digits, so that 5 and '000005' are the same"
        )
    return values


def _model(name, values):
    """A `Model` of a class, subclass and split."""
    entries = tuple(values) if isinstance(values, Iterable) and not isinstance(values, str) else ()
    if len(entries) != 3 or None in entries:
        raise TypeError(f"model {name!r} is {values!r}; expected (class, subclass, split)")
    return Model(*entries)


def _listed(query, ranked, models):
    """The results that are scored: of the first 1000 those of the split, each once."""
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
    """Five scores of a list, and precision and recall after each result."""
    model, relevant = models[query], min(len(members), CUT)
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
    """Discounted cumulative gain."""
    gains = np.array(gains, float)
    return gains[0] + np.sum(gains[1:] / np.log2(np.arange(2, len(gains) + 1)))


def _mean(results):
    return tuple(np.mean(values, axis=0) for values in zip(*results, strict=True))
