"""Labels as numbers, as names, and missing, from every place that they come from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from harmonium.data import fingerprint, load_data, split
from harmonium.data.arrays import as_dataset
from harmonium.data.labels import UNLABELLED, read_labels, select_classes
from harmonium.errors import InputError

X = np.arange(12.0).reshape(6, 2)
WORDS = ["cat", "ant", "", "cat", "?", "bee"]
CODES, NAMES = [2, 0, -1, 2, -1, 1], ("ant", "bee", "cat")


words_and_gaps = st.sampled_from(["b", "a", "zebra finch", "Ärger", "7x", "NA", "nan", "", "?", "-1", None])


@settings(deadline=None)  # a busy machine may be slow
@given(st.lists(words_and_gaps, min_size=1))
def test_names_come_back_from_their_codes(words):
    y, names = read_labels(np.array(words, dtype=object), len(words), "labels")
    back = [None if code == UNLABELLED else names[code] for code in y]
    assert back == [None if word in ("NA", "nan", "", "?", "-1", None) else word for word in words]
    assert names is None or list(names) == sorted(set(back) - {None})


@settings(deadline=None)  # a busy machine may be slow
@given(st.lists(st.one_of(st.none(), st.integers(-(2**53), 2**53)), min_size=1))
def test_numbers_are_the_same_as_integers_floats_objects_and_text(values):
    wanted = [-1 if value is None else value for value in values]
    as_float = np.array([np.nan if value is None else value for value in values])
    as_text = np.array(["" if value is None else str(value) for value in values])
    for given_values in (np.array(wanted), as_float, np.array(values, dtype=object), as_text):
        y, names = read_labels(given_values, len(values), "labels")
        assert (y.tolist(), y.dtype, names) == (wanted, np.int64, None)


def test_pandas_missing_values_and_bytes():
    class NAType:
        """As in pandas: no truth of its own."""

        def __ne__(self, other):
            return self

        def __bool__(self):
            raise TypeError("ambiguous")

    y, names = read_labels(np.array(["a", NAType(), float("nan"), "b"], dtype=object), 4, "labels")
    assert (y.tolist(), names) == ([0, -1, -1, 1], ("a", "b"))
    assert read_labels(np.array([b"yes", b"no"]), 2, "labels")[0].tolist() == [1, 0]
    assert read_labels([True, False], 2, "labels")[0].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array(["a", 1, 2, "b", "b", "b"], dtype=object), "labels must be integers throughout or names throughout"),
        (["1", "2", "2.5", "1", "1", "1"], r"labels must be integers; row 2 \(counted from 0\) holds 2.5"),
        ([1, 2, 3, 1, 1, 1e300], r"labels must be integers of at most 15 digits; row 5"),
        (["a"] * 5, "there are 5 labels for 6 rows"),
        (["a"] * 7, "there are 7 labels for 6 rows"),
        (np.array("2020-01-01", "M8").repeat(6), "labels must be integers or names; their type is datetime64"),
    ],
)
def test_what_is_no_label_is_one_sentence(labels, message):
    with pytest.raises(InputError, match=message):
        as_dataset(X, labels)


def csv(place):
    rows = [[*map(str, values)] for values in X]
    for row, word in zip([["u", "v"], *rows], ["kind", *WORDS], strict=True):
        row.insert(place, word)
        yield ",".join(row)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_column_of_words(tmp_path, place):
    (tmp_path / "t.csv").write_text("\n".join(csv(place)))
    data = load_data(tmp_path / "t.csv", labels="kind")
    np.testing.assert_array_equal(data.X, X)
    assert (data.y.tolist(), data.names) == (CODES, NAMES)


def test_a_column_of_numbers_with_gaps_and_quoted_names(tmp_path):
    (tmp_path / "t.csv").write_text("u,label\n1,7\n2,\n3,NA\n4,9\n")
    data = load_data(tmp_path / "t.csv")
    assert (data.X.dtype, data.y.tolist(), data.names) == (np.int64, [7, -1, -1, 9], None)
    (tmp_path / "q.csv").write_text('label,u\n"New York, NY",0.5\n"Ely",1\n')
    assert load_data(tmp_path / "q.csv").names == ("Ely", "New York, NY")


@pytest.mark.parametrize(
    ("text", "labels", "message"),
    [
        ("u,v,kind\n1,2,cat\n1,x,cat\n", "kind", r"line 3, column 2: 'x' is not a number; write one there"),
        ("u,v,kind\n1,2,cat\n1,2,cat,3\n", "kind", r"line 3: 4 columns, the first line has 3"),
        ("u,v,kind\n1,2,cat\n1,2\n", "kind", r"line 3: 2 columns, the first line has 3"),
        ("u,v,kind\n1,2,cat\n", None, r"'cat' is not a number; .* or name the column with labels"),
    ],
)
def test_faults_beside_words(tmp_path, text, labels, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        load_data(tmp_path / "t.csv", labels=labels)


@pytest.mark.parametrize("text", ["cat\nant\nNA\ncat\n?\nbee", "creature\ncat\nant\nNA\ncat\n?\nbee\n"])
def test_a_file_of_words_with_or_without_header(tmp_path, text):
    np.save(tmp_path / "x.npy", X)
    (tmp_path / "y.txt").write_text(text)
    data = load_data(tmp_path / "x.npy", labels=tmp_path / "y.txt")
    assert (data.y.tolist(), data.names) == (CODES, NAMES)
    np.save(tmp_path / "y.npy", np.array(WORDS))
    again = load_data(tmp_path / "x.npy", labels=tmp_path / "y.npy")
    np.savez(tmp_path / "b.npz", X=X, y=np.array(WORDS))
    for other in (again, load_data(tmp_path / "b.npz")):
        assert (other.y.tolist(), other.names) == (CODES, NAMES)
    (tmp_path / "y.txt").write_text(text + "\nbee\nbee\n")
    with pytest.raises(InputError, match=r"y\.txt"):
        load_data(tmp_path / "x.npy", labels=tmp_path / "y.txt")


def test_folders_are_names(tmp_path):
    for folder in ("dog", "cat"):
        (tmp_path / folder).mkdir()
        Image.fromarray(np.full((2, 2), len(folder), np.uint8)).save(tmp_path / folder / "a.png")
    data = load_data(tmp_path)
    assert (data.y.tolist(), data.names) == ([0, 1], ("cat", "dog"))
    assert load_data(tmp_path, classes=["dog"]).y.tolist() == [1]  # codes keep their meaning


def test_classes_by_name_and_rows_without_label():
    data = as_dataset(X, WORDS)
    chosen = select_classes(data, ["cat", "bee"])
    assert (chosen.y.tolist(), chosen.names) == ([2, 2, 1], NAMES)
    np.testing.assert_array_equal(chosen.X, X[[0, 3, 5]])
    with pytest.raises(InputError, match="no rows of class dog in memory; the classes there are ant, bee, cat"):
        select_classes(data, ["dog"])
    with pytest.raises(InputError, match="no rows of class 2"):
        select_classes(data, [2])  # a code is no name
    numbers = as_dataset(X, [1, -1, 2, 1, -1, 3])
    assert select_classes(numbers, ["1", 3]).y.tolist() == [1, 1, 3]
    with pytest.raises(InputError, match="no rows of class -1 in memory; the classes there are 1, 2, 3"):
        select_classes(numbers, [-1])
    with pytest.raises(InputError, match="classes=cat must be whole numbers"):
        select_classes(numbers, ["cat"])


def test_the_fingerprint_knows_names_and_gaps():
    named = as_dataset(X, WORDS)
    others = [as_dataset(X, CODES), as_dataset(X, [w.replace("cat", "cow") for w in WORDS]), as_dataset(X)]
    marks = [fingerprint(data) for data in (named, *others)]
    assert len(set(marks)) == 4
    assert fingerprint(as_dataset(X, np.array(WORDS, dtype=object))) == marks[0]


def test_rows_without_label_are_split_in_proportion_too():
    y = np.repeat([-1, 0, 1], [60, 30, 10])
    train, test = split(as_dataset(np.zeros((100, 1)), y), 0.2)
    assert [(y[test] == label).sum() for label in (-1, 0, 1)] == [12, 6, 2]
    assert len(train) + len(test) == 100
