from collections import Counter
from functools import partial
from itertools import chain

import pytest

from skal.datasets import _mit_restaurant, fetch_mit_restaurant

# Counts made without a loader of this project.
COUNTS = {
    "train": {
        "O": 43670,
        "B-Amenity": 2541,
        "B-Cuisine": 2839,
        "B-Dish": 1475,
        "B-Hours": 990,
        "B-Location": 3817,
        "B-Price": 730,
        "B-Rating": 1070,
        "B-Restaurant_Name": 1901,
        "I-Amenity": 2676,
        "I-Cuisine": 630,
        "I-Dish": 767,
        "I-Hours": 1283,
        "I-Location": 3658,
        "I-Price": 283,
        "I-Rating": 527,
        "I-Restaurant_Name": 1668,
    },
    "test": {
        "O": 8659,
        "B-Amenity": 533,
        "B-Cuisine": 532,
        "B-Dish": 288,
        "B-Hours": 212,
        "B-Location": 812,
        "B-Price": 171,
        "B-Rating": 201,
        "B-Restaurant_Name": 402,
        "I-Amenity": 524,
        "I-Cuisine": 135,
        "I-Dish": 121,
        "I-Hours": 295,
        "I-Location": 788,
        "I-Price": 66,
        "I-Rating": 125,
        "I-Restaurant_Name": 392,
    },
}


class TestRealData:
    @pytest.fixture
    def fetch(self, data_home):
        return partial(
            fetch_mit_restaurant, data_home=data_home, download_if_missing=False
        )

    @pytest.mark.parametrize(
        ("part", "n_sentences", "n_tokens", "longest"),
        [("train", 7660, 70525, 35), ("test", 1521, 14256, 26)],
    )
    def test_counts(self, fetch, part, n_sentences, n_tokens, longest):
        data = fetch(subset=part)
        lengths = [len(sentence) for sentence in data.data]
        assert lengths == [len(tags) for tags in data.target]
        assert (len(lengths), sum(lengths)) == (n_sentences, n_tokens)
        assert (min(lengths), max(lengths)) == (1, longest)
        assert Counter(chain.from_iterable(data.target)) == COUNTS[part]
        assert data.target_names == sorted(COUNTS[part])
        assert len(data.target_names) == 17

    def test_first_rows(self, fetch):
        X, y = fetch(return_X_y=True)
        assert X[0] == ["2", "start", "restaurants", "with", "inside", "dining"]
        assert y[0] == ["B-Rating", "I-Rating", "O", "O", "B-Amenity", "I-Amenity"]
        assert X[1:3] == [["34"], ["5", "star", "resturants", "in", "my", "town"]]

    def test_parts_add_up(self, fetch):
        X, y = fetch(return_X_y=True)
        X_train, y_train = fetch(subset="train", return_X_y=True)
        X_test, y_test = fetch(subset="test", return_X_y=True)
        assert X_train + X_test == X
        assert y == y_train + y_test


@pytest.fixture
def fetch_train(server, tmp_path, monkeypatch):
    """A function that fetches a training part with this content."""

    def fetch(content):
        contents = dict.fromkeys(
            ["restauranttrain.bio", "restauranttest.bio"], content.encode()
        )
        files = server.serve(_mit_restaurant._FILES, contents)
        monkeypatch.setattr(_mit_restaurant, "_FILES", files)
        return fetch_mit_restaurant(subset="train", data_home=tmp_path)

    return fetch


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\n\n\n"])
def test_blank_lines_part_sentences(fetch_train, end):
    data = fetch_train("\nB-Dish\tthé\nI-Dish\tvert\n\n\nO\tnow" + end)
    assert data.data == [["thé", "vert"], ["now"]]
    assert data.target == [["B-Dish", "I-Dish"], ["O"]]
    assert data.target_names == ["B-Dish", "I-Dish", "O"]


@pytest.mark.parametrize(
    "line",
    ["soup", "O soup", "X-Dish\tsoup", "B-\tsoup", "O\t", "\tsoup", "O\tsoup\tO", " "],
)
def test_a_malformed_line_is_named(fetch_train, line):
    with pytest.raises(ValueError, match=r"restauranttrain.bio, line 3: expected a"):
        fetch_train(f"O\tany\n\n{line}\nO\tnow\n\n")
