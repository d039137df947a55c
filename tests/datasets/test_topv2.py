from collections import Counter
from functools import partial

import numpy as np
import pytest

from skal.datasets import _topv2, fetch_topv2

# Counts made without a loader of this project.
COUNTS = {
    "train": {
        "CREATE_ALARM": 11035,
        "DELETE_ALARM": 2650,
        "GET_ALARM": 2800,
        "SILENCE_ALARM": 1044,
        "SNOOZE_ALARM": 849,
        "UNSUPPORTED_ALARM": 423,
        "UPDATE_ALARM": 1629,
    },
    "eval": {
        "CREATE_ALARM": 1438,
        "DELETE_ALARM": 307,
        "GET_ALARM": 281,
        "SILENCE_ALARM": 164,
        "SNOOZE_ALARM": 534,
        "UNSUPPORTED_ALARM": 71,
        "UPDATE_ALARM": 140,
    },
    "test": {
        "CREATE_ALARM": 3744,
        "DELETE_ALARM": 814,
        "GET_ALARM": 828,
        "SILENCE_ALARM": 781,
        "SNOOZE_ALARM": 390,
        "UNSUPPORTED_ALARM": 164,
        "UPDATE_ALARM": 402,
    },
}


class TestRealData:
    @pytest.fixture
    def fetch(self, data_home):
        return partial(fetch_topv2, data_home=data_home, download_if_missing=False)

    @pytest.mark.parametrize("part", COUNTS)
    def test_counts(self, fetch, part):
        data = fetch(subset=part)
        assert Counter(data.target.tolist()) == COUNTS[part]
        assert data.target_names == sorted(COUNTS[part])

    def test_first_rows(self, fetch):
        X, y = fetch(return_X_y=True)
        assert X[0] == "Set the alarm for tonight."
        assert X[1] == "how much time is left before my alarm goes off"
        assert y[:2].tolist() == ["CREATE_ALARM", "GET_ALARM"]
        assert isinstance(X, list)
        assert {type(x) for x in X} == {str}

    def test_lengths(self, fetch):
        lengths = [len(x.split()) for x in fetch(subset="train").data]
        assert (min(lengths), max(lengths)) == (1, 22)
        assert np.mean(lengths) == pytest.approx(6.803, abs=5e-4)

    def test_quotes_are_letters_like_others(self, fetch):
        n_quoted = [sum('"' in x for x in fetch(subset=part).data) for part in COUNTS]
        assert n_quoted == [3, 0, 2]

    def test_parts_add_up(self, fetch):
        X, y = fetch(return_X_y=True)
        parts = [fetch(subset=part, return_X_y=True) for part in COUNTS]
        assert parts[0][0] + parts[1][0] + parts[2][0] == X
        np.testing.assert_array_equal(y, np.concatenate([y for _, y in parts]))


@pytest.fixture
def fetch_train(server, tmp_path, monkeypatch):
    """A function that fetches a training part with these lines."""

    def fetch(*lines):
        content = "".join(line + "\n" for line in lines).encode()
        contents = {f"alarm_{part}.tsv": content for part in COUNTS}
        monkeypatch.setattr(_topv2, "_FILES", server.serve(_topv2._FILES, contents))
        return fetch_topv2(subset="train", data_home=tmp_path, return_X_y=True)

    return fetch


HEADER = "domain\tutterance\tsemantic_parse"


def test_the_label_is_the_outermost_intent(fetch_train):
    X, y = fetch_train(
        HEADER,
        'alarm\t"say" x"\t[IN:UPDATE [SL:NAME [IN:GET it ] ] ]',
        "alarm\tfünf\t[IN:SET fünf ]",
    )
    assert X == ['"say" x"', "fünf"]
    assert y.tolist() == ["UPDATE", "SET"]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "alarm\tset it",
        "alarm\tset it\tmore\t[IN:SET set it ]",
        "alarm\tset it\t[SL:NAME it ]",
        "alarm\tset it\t[IN: set it ]",
        "alarm\tset it\tset [IN:SET it ]",
        "alarm\tset it\t",
    ],
)
def test_a_malformed_line_is_named(fetch_train, line):
    with pytest.raises(ValueError, match=r"alarm_train.tsv, line 3: expected a domain"):
        fetch_train(HEADER, "alarm\tset it\t[IN:SET set it ]", line)


@pytest.mark.parametrize("lines", [(), ("alarm\tset it\t[IN:SET set it ]",)])
def test_a_file_without_its_header_is_refused(fetch_train, lines):
    with pytest.raises(ValueError, match="line 1: expected the columns"):
        fetch_train(*lines)


def test_another_domain_is_refused():
    with pytest.raises(ValueError, match="'domain' parameter"):
        fetch_topv2(domain="weather")
