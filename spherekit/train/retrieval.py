"""Retrieval scores of SHREC'17 (Savva et al. 2017), by the rules of the organisers' evaluator.

A query's list of models is cut to 1000; then repeats go, and models of another split or unknown. A result
is worth 3 where it has the query's subclass, 2 where its subclass is the query's class, 1 where it has the
class, else 0. All models of the class count as right, the query itself too, R of them, at most 1000:

    P@N = hits / N,  R@N = hits / R,  F1@N of these two, N the length of the list
    mAP = sum over hits of the precision there / R
    NDCG = DCG / IDCG,  DCG = x_0 + sum_{1 <= i < R} x_i / log2(i+1)

IDCG takes the first R models of the class in the order of the file, and sorts their worth: where there are
more than R it is not the largest possible, and NDCG can exceed 1. Micro scores are means over queries, macro
scores over the means of classes.
"""

from typing import NamedTuple

import numpy as np

CUT = 1000
SCORES = ("P@N", "R@N", "F1@N", "mAP", "NDCG")


class Model(NamedTuple):
    """What is known of a model."""

    synset: str
    subsynset: str
    split: str


class Retrieval(NamedTuple):
    """Of "micro", "macro" and each class of a query.

    scores : {name: {"P@N": ..., "R@N", "F1@N", "mAP", "NDCG"}}
    curves : {name: precision and recall after each result, (2, 1000)}
    """

    scores: dict
    curves: dict


def retrieval(lists, models, split):
    """The scores of ranked lists.

    Parameters
    ----------
    lists : dict
        {query: identifiers of models, the best first}.
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
        No lists; a query that is not among the models of that split.

    >>> models = {"a": ("chair", "sofa", "val"), "b": ("chair", "stool", "val"), "c": ("car", "bus", "val")}
    >>> made = retrieval({"a": ["a", "c", "b"]}, models, "val")
    >>> {name: round(value, 4) for name, value in made.scores["micro"].items()}
    {'P@N': 0.6667, 'R@N': 1.0, 'F1@N': 0.8, 'mAP': 0.8333, 'NDCG': 0.75}
    """
    models = {name: Model(*some) for name, some in models.items() if some[2] == split}
    if not lists:
        raise ValueError("no ranked lists; expected a dict {query: [models, the best first]}")
    members, found = {}, {}
    for name, model in models.items():
        members.setdefault(model.synset, []).append(name)
    for query, ranked in lists.items():
        if query not in models:
            raise ValueError(f"query {query!r} is no model of the split {split!r}")
        synset = models[query].synset
        some = list(dict.fromkeys(name for name in list(ranked)[:CUT] if name in models))
        found.setdefault(synset, []).append(_one(models, query, some, members[synset]))
    every = [one for some in found.values() for one in some]
    classes = {synset: _mean(some) for synset, some in found.items()}
    means = {"micro": _mean(every), "macro": _mean(list(classes.values()))} | classes
    scores = {
        name: dict(zip(SCORES, map(float, some), strict=True)) for name, (some, _) in means.items()
    }
    return Retrieval(scores, {name: curve for name, (_, curve) in means.items()})


def read_models(path):
    """The organisers' table of models (csv, or gzip of one): {id: Model}, in its order.

    Raises
    ------
    ValueError
        Columns other than id, synsetId, subSynsetId, modelId, split.
    """
    import csv
    import gzip

    opened = gzip.open if str(path).endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        missing = {"id", "synsetId", "subSynsetId", "split"} - set(rows.fieldnames or ())
        if missing:
            raise ValueError(f"{path} has no column {', '.join(sorted(missing))}; expected the "
                             "organisers' id,synsetId,subSynsetId,modelId,split")  # fmt: skip
        return {r["id"]: Model(r["synsetId"], r["subSynsetId"], r["split"]) for r in rows}


def _worth(query, result):
    if result.subsynset == query.subsynset:
        return 3
    if result.subsynset == query.synset:
        return 2
    return int(result.synset == query.synset)


def _one(models, query, ranked, members):
    """Five scores of a list, and precision and recall after each result."""
    own, relevant = models[query], min(len(members), CUT)
    if not ranked:
        return np.zeros(5), np.zeros((2, CUT))
    hit = np.array([models[name].synset == own.synset for name in ranked])
    seen = np.cumsum(hit)
    precision, recall = seen / np.arange(1, len(hit) + 1), seen / relevant
    P, R = precision[-1], recall[-1]
    F1 = 2 * P * R / (P + R) if P + R else 0.0
    gained = _gain([_worth(own, models[name]) for name in ranked[:relevant]])
    ideal = _gain(sorted((_worth(own, models[name]) for name in members[:relevant]), reverse=True))
    scores = np.array([P, R, F1, precision[hit].sum() / relevant, gained / ideal])
    curve = np.stack([precision, recall])
    return scores, np.pad(curve, ((0, 0), (0, CUT - len(hit))), mode="edge")


def _gain(worth):
    worth = np.array(worth, float)
    return worth[0] + np.sum(worth[1:] / np.log2(np.arange(2, len(worth) + 1)))


def _mean(some):
    return tuple(np.mean(values, axis=0) for values in zip(*some, strict=True))
