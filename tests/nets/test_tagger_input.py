import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is an extra")
pytest.importorskip("skorch", reason="skorch is an extra")

import pandas as pd
import torch

from skal.nets import BiLSTMTagger

GOOD = ([["a", "b"], ["c"]], [["O", "B"], ["O"]])


def make_net(**params):
    defaults = {"embedding_dim": 8, "lr": 0.02, "max_epochs": 2, "random_state": 0}
    return BiLSTMTagger(**{**defaults, **params})


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (["a b", ["c"]], TypeError, "Row 0 of X is a str, but tags belong to tokens"),
        ("ab", TypeError, "X is a str: pass a list of sentences"),
        ([["a", "b"], 3], TypeError, "Row 1 of X must be a sentence, got 3"),
        ([["a", 1], ["c"]], TypeError, "Row 0 of X must be a sentence"),
        (np.zeros((2, 2)), TypeError, "Row 0 of X must be a sentence"),
        (pd.DataFrame({"text": GOOD[0]}), TypeError, "X is a DataFrame"),
        ([], ValueError, "X holds no sentences: pass at least one"),
    ],
)
def test_what_are_no_token_lists_is_refused(X, error, message):
    with pytest.raises(error, match=message):
        make_net().fit(X, GOOD[1])
    with pytest.raises(error, match=message):
        make_net().fit(*GOOD, X_val=X, y_val=GOOD[1])
    model = make_net(max_epochs=1).fit(*GOOD)
    for method in (model.predict, model.predict_token_log_proba, model.embed):
        with pytest.raises(error, match=message):
            method(X)
    with pytest.raises(error, match=message):
        model.score(X, GOOD[1])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "y(_val)? holds no lists of tags: pass one list for each sentence"),
        (["O B", "O"], "y(_val)? holds no lists of tags"),
        ([0, 1], "y(_val)? holds no lists of tags"),
        ([["O"], ["O"]], "y(_val)? has 1 tags in row 0, .* 2 tokens: give one tag"),
        ([["O", "B"]], "inconsistent numbers of samples"),
        ([["O", None], ["O"]], r"y(_val)? has a missing tag \(None or NaN\) in row 0"),
        ([["O", "B"], [np.nan]], "missing tag .* in row 1: pass a tag for every token"),
        ([["O", "B"], [pd.NA]], "missing tag .* in row 1"),
        ([["O", 1], ["O"]], "some tags that are str and others that are not"),
    ],
)
def test_what_are_no_tags_is_refused(y, message):
    X = GOOD[0]
    with pytest.raises(ValueError, match=message):
        make_net().fit(X, y)
    model = make_net(max_epochs=1).fit(*GOOD)
    with pytest.raises(ValueError, match=message):
        model.score(X, y)
    if y is None:
        message = "X_val and y_val go together"
    with pytest.raises(ValueError, match=message):
        make_net().fit(*GOOD, X_val=X, y_val=y)


def test_there_must_be_something_to_learn():
    with pytest.raises(ValueError, match="X holds no tokens: pass at least one"):
        make_net().fit([[], []], [[], []], classes=["O"])
    with pytest.raises(ValueError, match="X holds no tokens: pass at least one"):
        make_net().fit(*GOOD).score([[]], [[]])
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        make_net().fit([["a", "b"]], [[0.5, 1.2]])


def test_parameters_are_checked(monkeypatch):
    for params in ({"vectors": "glove"}, {"dropout": 1.0}, {"scoring": "f2"}):
        with pytest.raises(ValueError, match="parameter of BiLSTMTagger must be"):
            BiLSTMTagger(**params).fit(*GOOD)
    with pytest.raises(ValueError, match="give each word a vector, all of one length"):
        BiLSTMTagger(vectors={"a": [1], "b": [1, 2]}).fit(*GOOD)
    with pytest.raises(ValueError, match=r"training loss is .* choose a smaller lr"):
        make_net(lr=1e37, max_epochs=9).fit(*GOOD)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="asks for a GPU"):
        BiLSTMTagger(device="cuda").fit(*GOOD)
