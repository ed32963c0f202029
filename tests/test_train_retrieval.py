"""Scores of SHREC'17: by hand, and against what the organisers' evaluator printed."""

import csv
import gzip
import math
import pathlib
import tarfile

import numpy as np
import pytest

from spherekit.train.retrieval import SCORES, read_models, retrieval

DATA = pathlib.Path(__file__).parents[2] / "shared/data/shrec17"


def test_by_hand():
    """Seven models: the list has a repeat, an unknown model and one of another split."""
    models = {
        "q": ("seat", "sofa", "test"), "a": ("seat", "sofa", "test"), "b": ("seat", "seat", "test"),
        "c": ("seat", "stool", "test"), "d": ("car", "bus", "test"), "e": ("seat", "sofa", "train"),
        "f": ("car", "car", "test"),
    }  # fmt: skip
    made = retrieval({"q": ["d", "b", "b", "e", "nothing", "q", "c"], "d": ["q"]}, models, "test")
    seat, car = made.scores["seat"], made.scores["car"]  # what counts of the list: d b q c
    assert seat["P@N"] == 3 / 4 and seat["R@N"] == 3 / 4 and seat["F1@N"] == 3 / 4
    assert math.isclose(seat["mAP"], (1 / 2 + 2 / 3 + 3 / 4) / 4, rel_tol=1e-15)
    dcg = 0 + 2 + 3 / math.log2(3) + 1 / 2
    ideal = 3 + 3 + 2 / math.log2(3) + 1 / 2
    assert math.isclose(seat["NDCG"], dcg / ideal, rel_tol=1e-15)
    assert car == dict.fromkeys(SCORES, 0)
    assert made.scores["micro"] == made.scores["macro"] == {k: v / 2 for k, v in seat.items()}
    np.testing.assert_array_equal(
        made.curves["seat"][:, :4], [[0, 1 / 2, 2 / 3, 3 / 4], [0, 1 / 4, 1 / 2, 3 / 4]]
    )
    assert (made.curves["seat"][:, 3:] == 3 / 4).all() and made.curves["seat"].shape == (2, 1000)


def test_cut_first_then_repeats():
    """1000 entries count, repeats among them; the oracle is cut in file order, so that NDCG can exceed 1."""
    models = {f"m{k}": ("seat", "bench" if k < 1000 else "sofa", "val") for k in range(1500)}
    made = retrieval({"m1400": ["m1"] * 999 + ["m1401", "m1402"]}, models, "val").scores["micro"]
    assert made["P@N"] == 1 and made["R@N"] == 2 / 1000
    best = [f"m{k}" for k in range(1000, 1500)]
    assert retrieval({"m1400": best}, models, "val").scores["micro"]["NDCG"] > 1


def test_micro_weighs_queries_macro_classes():
    models = {"a": ("x", "x", "val"), "b": ("x", "x", "val"), "c": ("y", "y", "val")}
    made = retrieval({"a": ["a", "b"], "b": ["b", "a"], "c": ["a"]}, models, "val").scores
    assert made["micro"]["P@N"] == 2 / 3 and made["macro"]["P@N"] == 1 / 2
    assert made["micro"]["R@N"] == 2 / 3 and made["macro"]["NDCG"] == 1 / 2


def test_refusals(tmp_path):
    with pytest.raises(ValueError, match="no ranked lists"):
        retrieval({}, {}, "test")
    with pytest.raises(ValueError, match="'q' is no model of the split 'test'"):
        retrieval({"q": []}, {"q": ("a", "a", "val")}, "test")
    assert retrieval({"q": []}, {"q": ("a", "a", "val")}, "val").scores["micro"]["F1@N"] == 0
    (tmp_path / "t.csv").write_text("id,class\n1,2\n")
    with pytest.raises(ValueError, match="no column split, subSynsetId, synsetId"):
        read_models(tmp_path / "t.csv")


@pytest.mark.skipif(not DATA.exists(), reason=f"the organisers' files are not at {DATA}")
@pytest.mark.parametrize(
    "name, data_set", [("A", "test_normal"), ("A", "test_perturbed"), ("D", "val_normal")]
)
def test_as_the_evaluator(name, data_set):
    """Every score of every class to 1e-12, and the precision-recall curves."""
    models, reference = read_models(DATA / "all.csv.gz"), DATA / "evaluator_reference"
    lists = {}
    with tarfile.open(reference / "ranked_lists_AD.tar.gz") as tar:
        for member in tar.getmembers():
            if member.isfile() and member.name.startswith(f"{name}/{data_set}/"):
                lines = tar.extractfile(member).read().decode().split("\n")
                lists[member.name.rsplit("/", 1)[1]] = [line.split()[0] for line in lines if line]
    made = retrieval(lists, models, data_set.split("_")[0])
    with open(reference / f"{name}.summary.csv") as file:
        rows = {r["class"]: r for r in csv.DictReader(file) if r["dataset"] == data_set}
    assert {k.replace("ALL", "") for k in rows} == set(made.scores)
    for label, row in rows.items():
        got = [made.scores[label.replace("ALL", "")][score] for score in SCORES]
        np.testing.assert_allclose(got, [float(row[s]) for s in SCORES], rtol=0, atol=1e-12)
    with gzip.open(reference / f"{name}.pr.csv.gz", "rt") as file:
        rows = [r for r in csv.DictReader(file) if r["dataset"] == data_set]
    for label in ("micro", "macro"):
        some = np.array(
            [(float(r["P"]), float(r["R"])) for r in rows if r["class"] == label + "ALL"]
        )
        np.testing.assert_allclose(made.curves[label], some.T, rtol=0, atol=1e-12)
