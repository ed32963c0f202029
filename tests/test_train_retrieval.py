"""Scores of SHREC'17: by hand, and against what the organisers' evaluator printed."""

import csv
import gzip
import math
import tarfile

import numpy as np
import pytest
from helpers.data import SHARED
from tolerances import CHAIN, LAST_PLACES

from spherekit.train.shrec17 import SCORES, read_models, retrieval

DATA = SHARED / "shrec17"


def test_by_hand():
    """Seven models: the list has a repeat, an unknown model and one of another split."""
    models = {
        "q": ("seat", "sofa", "test"), "a": ("seat", "sofa", "test"), "b": ("seat", "seat", "test"),
        "c": ("seat", "stool", "test"), "d": ("car", "bus", "test"), "e": ("seat", "sofa", "train"),
        "f": ("car", "car", "test"),
    }  # fmt: skip
    result = retrieval({"q": ["d", "b", "b", "e", "nothing", "q", "c"], "d": ["q"]}, models, "test")
    seat, car = result.scores["seat"], result.scores["car"]  # what counts of the list: d b q c
    assert seat["P@N"] == 3 / 4 and seat["R@N"] == 3 / 4 and seat["F1@N"] == 3 / 4
    assert math.isclose(seat["mAP"], (1 / 2 + 2 / 3 + 3 / 4) / 4, rel_tol=LAST_PLACES)
    dcg = 0 + 2 + 3 / math.log2(3) + 1 / 2
    ideal = 3 + 3 + 2 / math.log2(3) + 1 / 2
    assert math.isclose(seat["NDCG"], dcg / ideal, rel_tol=LAST_PLACES)
    assert car == dict.fromkeys(SCORES, 0)
    assert result.scores["micro"] == result.scores["macro"] == {k: v / 2 for k, v in seat.items()}
    np.testing.assert_array_equal(
        result.curves["seat"][:, :4], [[0, 1 / 2, 2 / 3, 3 / 4], [0, 1 / 4, 1 / 2, 3 / 4]]
    )
    assert (result.curves["seat"][:, 3:] == 3 / 4).all() and result.curves["seat"].shape == (
        2,
        1000,
    )


def test_cut_first_then_repeats():
    """1000 entries count, repeats among them; the oracle is cut in file order, so that NDCG can exceed 1."""
    models = {f"m{k}": ("seat", "bench" if k < 1000 else "sofa", "val") for k in range(1500)}
    result = retrieval({"m1400": ["m1"] * 999 + ["m1401", "m1402"]}, models, "val").scores["micro"]
    assert result["P@N"] == 1 and result["R@N"] == 2 / 1000
    best = [f"m{k}" for k in range(1000, 1500)]
    assert retrieval({"m1400": best}, models, "val").scores["micro"]["NDCG"] > 1


def test_micro_weighs_queries_macro_classes():
    models = {"a": ("x", "x", "val"), "b": ("x", "x", "val"), "c": ("y", "y", "val")}
    result = retrieval({"a": ["a", "b"], "b": ["b", "a"], "c": ["a"]}, models, "val").scores
    assert result["micro"]["P@N"] == 2 / 3 and result["macro"]["P@N"] == 1 / 2
    assert result["micro"]["R@N"] == 2 / 3 and result["macro"]["NDCG"] == 1 / 2


@pytest.mark.parametrize("spelled", [int, str, np.int32, lambda n: f"{n:06d}", lambda n: f" {n}"])
def test_identifiers_are_padded_to_six_digits(spelled):
    """5, "5" and "000005" are the same model; a repeat is one however it is spelled."""
    models = {f"{n:06d}": ("xy"[n % 2], "xy"[n % 2], "val") for n in range(8, 14)}
    lists = {spelled(n): [spelled(8), "000008", 8, spelled(9), spelled(12)] for n in range(8, 12)}
    found = retrieval(lists, {spelled(int(n)): model for n, model in models.items()}, "val")
    plain = {f"{n:06d}": ["000008", "000009", "000012"] for n in range(8, 12)}
    expected = retrieval(plain, models, "val")
    assert found.scores == expected.scores and found.scores["x"]["P@N"] == 2 / 3


def test_queries_of_another_split_are_dropped_and_counted():
    models = {
        1: ("x", "x", "val"),
        2: ("x", "x", "val"),
        3: ("x", "x", "test"),
        4: ("y", "y", "train"),
    }
    lists = {1: [1, 2], 3: [3], 4: [4]}
    found = retrieval(lists, models, "val")
    assert found.dropped == 2 and found.scores == retrieval({1: [1, 2]}, models, "val").scores
    assert retrieval({1: [2]}, models, "val").dropped == 0
    assert set(found.scores) == {"micro", "macro", "x"}


def test_refusals(tmp_path):
    with pytest.raises(ValueError, match="no ranked lists"):
        retrieval({}, {}, "test")
    with pytest.raises(ValueError, match="none of the 1 queries is a model of the split 'test'"):
        retrieval({"q": []}, {"q": ("a", "a", "val")}, "test")
    with pytest.raises(ValueError, match="'x' is not a model of any split"):
        retrieval({"x": []}, {"q": ("a", "a", "val")}, "val")
    with pytest.raises(ValueError, match="1 of 2 identifiers of a query are repeated"):
        retrieval({"5": [], "000005": []}, {5: ("a", "a", "val")}, "val")
    with pytest.raises(TypeError, match="the list of query '000005' is text"):
        retrieval({5: "000005"}, {5: ("a", "a", "val")}, "val")
    assert retrieval({"q": []}, {"q": ("a", "a", "val")}, "val").scores["micro"]["F1@N"] == 0
    (tmp_path / "t.csv").write_text("id,class\n1,2\n")
    with pytest.raises(ValueError, match="no column split, subSynsetId, synsetId"):
        read_models(tmp_path / "t.csv")


@pytest.mark.parametrize("identifier", [5.0, True, None, ("5",)])
def test_what_is_no_identifier(identifier):
    with pytest.raises(TypeError, match="an identifier is"):
        retrieval({5: [identifier]}, {5: ("a", "a", "val")}, "val")


@pytest.mark.parametrize("ranked", [{"a"}, frozenset("a"), {"a": 1}, None, 5, b"a", "a"])
def test_lists_without_an_order_are_refused(ranked):
    with pytest.raises(TypeError, match="the list of query 'a' is .*; expected a list"):
        retrieval({"a": ranked}, {"a": ("x", "x", "val")}, "val")


@pytest.mark.parametrize("ranked", [["a"], ("a",), np.array(["a"]), iter(["a"]), {"a": 1}.keys()])
def test_lists_of_any_ordered_kind(ranked):
    scores = retrieval({"a": ranked}, {"a": ("x", "x", "val")}, "val").scores
    assert scores["micro"]["NDCG"] == 1


@pytest.mark.parametrize("lists", [[("a", ["a"])], None, "a", {"a"}])
def test_lists_are_a_dict(lists):
    with pytest.raises(TypeError, match="lists is .*; expected a dict"):
        retrieval(lists, {"a": ("x", "x", "val")}, "val")


@pytest.mark.parametrize("models", [[], None, "abc"])
def test_models_are_a_dict(models):
    with pytest.raises(TypeError, match="models is .*; expected a dict"):
        retrieval({"a": ["a"]}, models, "val")


@pytest.mark.parametrize("model", [None, "abc", ("x", "val"), ("x", None, "val"), 5])
def test_what_is_no_model(model):
    with pytest.raises(TypeError, match="model 'a' is .*; expected"):
        retrieval({"a": ["a"]}, {"a": model}, "val")


HEAD = b"id,synsetId,subSynsetId,modelId,split\n"
ROW = b"000001,a,b,m,val\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEAD + ROW + b"1,a,b,m,val\n" + ROW, "2 of 3 identifiers of a model are repeated"),
        (HEAD + ROW + b"3,a\n" + b"4\n", "2 of 3 rows of .* the first is row 2"),
        (HEAD + b"3,a,b,m,val,more\n", "1 of 1 rows"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "not a table of models"),
        (b"id,synsetId\n" + b'"' + 200_000 * b"x" + b'"', "not a table of models"),
        (b"", "no column"),
        (HEAD.replace(b"id,", b"id,\xff,"), "not a table of models"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_tables_of_models_that_are_refused(tmp_path, content, message, packed):
    path = tmp_path / ("models.csv.gz" if packed else "models.csv")
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(ValueError, match=message) as refusal:
        read_models(path)
    assert "models.csv" in str(refusal.value)
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(HEAD + 50 * ROW)[:-9])
    with pytest.raises(ValueError, match="not a table of models"):
        read_models(tmp_path / "cut.csv.gz")
    path.write_bytes(HEAD + ROW)
    if packed:
        with pytest.raises(ValueError, match="not a table of models"):
            read_models(path)
    else:
        assert read_models(path) == {"000001": ("a", "b", "val")}


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
    result = retrieval(lists, models, data_set.split("_")[0])
    short = {int(query): [int(name) for name in names] for query, names in lists.items()}
    again = retrieval(short, models, data_set.split("_")[0])
    assert again.scores == result.scores and result.dropped == 0
    with open(reference / f"{name}.summary.csv") as file:
        rows = {r["class"]: r for r in csv.DictReader(file) if r["dataset"] == data_set}
    assert {k.replace("ALL", "") for k in rows} == set(result.scores)
    for label, row in rows.items():
        got = [result.scores[label.replace("ALL", "")][score] for score in SCORES]
        np.testing.assert_allclose(got, [float(row[s]) for s in SCORES], rtol=0, atol=CHAIN)
    with gzip.open(reference / f"{name}.pr.csv.gz", "rt") as file:
        rows = [r for r in csv.DictReader(file) if r["dataset"] == data_set]
    for label in ("micro", "macro"):
        some = np.array(
            [(float(r["P"]), float(r["R"])) for r in rows if r["class"] == label + "ALL"]
        )
        np.testing.assert_allclose(result.curves[label], some.T, rtol=0, atol=CHAIN)
