"""Weights of rows and classes in the loss of nets."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is an extra")
pytest.importorskip("skorch", reason="skorch is an extra")

import torch
from _trained import weights as weights_of
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from skal import ActiveLearner, AnnealingOracle, Margin, Random
from skal.datasets import make_intents, make_tagged_sentences
from skal.identity._fingerprint import describe
from skal.nets import (
    MLP,
    BiLSTMClassifier,
    BiLSTMTagger,
    EmbeddingBagClassifier,
    ImageCNN,
    TextCNNClassifier,
    TorchClassifier,
    _saving,
)

X, Y = make_classification(
    90, n_classes=3, n_informative=5, weights=[0.7, 0.2], random_state=2
)
SENTENCES = make_intents(90, random_state=1)
TAGGED = make_tagged_sentences(40, random_state=1)
IMAGES = np.abs(X[:, :16]).reshape(-1, 4, 4) / 5
FULL = {"batch_size": 500, "max_epochs": 4, "random_state": 0, "lr": 0.01}


class Convolutions(nn.Module):
    """Its models are stepped in turn, since stacked convolutions are slower."""

    def __init__(self, n_classes):
        super().__init__()
        self.first, self.head = nn.Conv1d(1, 3, 3), nn.Linear(54, n_classes)

    def forward(self, X):
        return self.head(self.first(X[:, None]).relu().flatten(1))


CASES = {
    "MLP": (TorchClassifier(MLP, **FULL), X, Y),
    "in turn": (TorchClassifier(Convolutions, **FULL), X, Y),
    "ImageCNN": (ImageCNN(**FULL), IMAGES, Y),
    "bag": (EmbeddingBagClassifier(embedding_dim=8, **FULL), *SENTENCES),
    "cnn": (TextCNNClassifier(embedding_dim=8, **FULL), *SENTENCES),
    "lstm": (BiLSTMClassifier(embedding_dim=8, **FULL), *SENTENCES),
    "tagger": (BiLSTMTagger(embedding_dim=8, **FULL), *TAGGED),
}
every_net = pytest.mark.parametrize("case", CASES)
every_classifier = pytest.mark.parametrize("case", [n for n in CASES if n != "tagger"])


def take(rows, indices):
    return rows[indices] if isinstance(rows, np.ndarray) else [rows[i] for i in indices]


def outputs(model, rows):
    if isinstance(model, BiLSTMTagger):
        return np.concatenate(model.predict_token_log_proba(rows))
    return model.predict_proba(rows)


@every_net
def test_a_row_of_weight_0_is_not_there(case):
    net, rows, y = CASES[case]
    net = clone(net).set_params(batch_size=16)
    is_there = np.random.default_rng(0).random(len(rows)) < 0.7
    left = np.flatnonzero(is_there)
    weighted = clone(net).fit(rows, y, sample_weight=is_there)
    without = net.fit(
        take(rows, left), take(y, left), classes=weighted.classes_,
        sample_weight=np.full(len(left), 3),
    )  # fmt: skip
    assert (weights_of(weighted) == weights_of(without)).all()
    assert weighted.loss_curve_ == without.loss_curve_


@every_net
def test_whole_weights_are_repetitions(case):
    net, rows, y = CASES[case]
    counts = np.random.default_rng(1).integers(0, 4, len(rows))
    repeated = np.repeat(np.arange(len(rows)), counts)
    weighted = clone(net).fit(rows, y, sample_weight=counts)
    plain = net.fit(take(rows, repeated), take(y, repeated), classes=weighted.classes_)
    np.testing.assert_allclose(weighted.loss_curve_, plain.loss_curve_, rtol=1e-4)
    np.testing.assert_allclose(
        outputs(weighted, rows), outputs(plain, rows), rtol=5e-3, atol=1e-4
    )


@every_classifier
def test_the_loss_is_that_of_scikit_learn(case):
    net, rows, y = CASES[case]
    sample = np.random.default_rng(2).random(len(rows)) + 0.1
    by_class = dict(zip(np.unique(y), [0.5, 2.0, 7.0, 0.1], strict=False))
    total = sample * [by_class[label] for label in y]
    still = clone(net).set_params(max_epochs=1, lr=1e-12, class_weight=by_class)
    still.fit(rows, y, sample_weight=sample)
    expected = log_loss(y, still.predict_proba(rows), sample_weight=total)
    assert still.loss_curve_[0] == pytest.approx(expected, rel=1e-5)


def test_the_loss_of_a_tagger_weighs_tokens():
    net, rows, y = CASES["tagger"]
    sample = np.random.default_rng(2).random(len(rows)) + 0.1
    still = clone(net).set_params(max_epochs=1, lr=1e-12, class_weight={"O": 0.2})
    still.fit(rows, y, sample_weight=sample)
    flat = [(tag, w) for row, w in zip(y, sample, strict=True) for tag in row]
    total = [w * (0.2 if tag == "O" else 1.0) for tag, w in flat]
    # Teacher forcing gives other probabilities than decoding, but those of an untrained
    # net hardly depend on the previous tag.
    probs = np.exp(np.concatenate(still.predict_token_log_proba(rows)))
    expected = log_loss([tag for tag, _ in flat], probs, sample_weight=total)
    assert still.loss_curve_[0] == pytest.approx(expected, rel=0.02)


@every_classifier
def test_balanced_is_the_inverse_of_the_counts(case):
    net, rows, y = CASES[case]
    labels, counts = np.unique(y, return_counts=True)
    shares = len(y) / (len(labels) * counts)
    by_hand = dict(zip(labels.tolist(), shares.tolist(), strict=True))
    found = [
        clone(net).set_params(class_weight=given).fit(rows, y).loss_curve_
        for given in ("balanced", by_hand, None)
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-5)
    assert found[0] != pytest.approx(found[2], rel=1e-3)


def test_balanced_takes_account_of_the_weights_of_rows():
    net = clone(CASES["MLP"][0]).set_params(class_weight="balanced")
    counts = np.random.default_rng(1).integers(1, 4, len(X))
    repeated = np.repeat(np.arange(len(X)), counts)
    weighted = clone(net).fit(X, Y, sample_weight=counts)
    plain = net.fit(X[repeated], Y[repeated])
    np.testing.assert_allclose(weighted.loss_curve_, plain.loss_curve_, rtol=1e-5)


def test_a_rare_class_is_found_more_often():
    rows, y = make_classification(300, weights=[0.93], class_sep=0.5, random_state=0)
    net = TorchClassifier(MLP, max_epochs=15, random_state=0)
    plain = clone(net).fit(rows, y).predict(rows)
    heavy = net.set_params(class_weight={1: 20.0}).fit(rows, y).predict(rows)
    assert (heavy == 1).sum() > (plain == 1).sum() + 5


@pytest.mark.parametrize("given", ["balanced", "dict"])
@pytest.mark.parametrize("batch_size", [8, 500])
@every_classifier
def test_side_by_side_means_the_same(case, given, batch_size):
    net, rows, y = CASES[case]
    labels = np.unique(y).tolist()
    by_class = given if given == "balanced" else {labels[0]: 0.2, labels[1]: 3}
    net = clone(net).set_params(class_weight=by_class, batch_size=batch_size)
    rng = np.random.default_rng(5)
    sets = [rng.permutation(90)[:size] for size in (30, 11, 47, 5)]
    many = net.side_by_side(rows, y, width=2)
    for model, indices in zip(many.fit(sets), sets, strict=True):
        alone = clone(net).fit(take(rows, indices), take(y, indices), classes=labels)
        assert model.loss_curve_ == pytest.approx(alone.loss_curve_, rel=1e-4)
        np.testing.assert_allclose(
            model.predict_proba(rows), alone.predict_proba(rows), rtol=1e-2, atol=1e-4
        )
        plain = clone(alone).set_params(class_weight=None)
        plain.fit(take(rows, indices), take(y, indices), classes=labels)
        if given == "dict":
            assert model.loss_curve_ != pytest.approx(plain.loss_curve_, rel=1e-3)


def test_a_tagger_with_weights_is_trained_alone():
    net, rows, y = CASES["tagger"]
    assert net.side_by_side(rows, y) is not None
    net = clone(net).set_params(class_weight={"O": 0.1})
    assert net.side_by_side(rows, y) is None


def test_a_search_scores_what_the_learner_trains():
    net = TorchClassifier(MLP, max_epochs=5, class_weight={2: 9.0, 0: 0.3})
    learner = ActiveLearner(
        net, AnnealingOracle(n_steps=20), batch_size=4, n_rounds=2, random_state=0
    ).fit(X, Y)
    assert learner.strategy_.quality_ == learner.validation_quality_


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_a_learner_cuts_weights_to_the_rows_in_use(in_pipeline):
    net = TorchClassifier(MLP, max_epochs=3)
    name = "torchclassifier__sample_weight" if in_pipeline else "sample_weight"
    model = make_pipeline(StandardScaler(), net) if in_pipeline else net
    sample = np.random.default_rng(3).random(len(X)) + 0.1

    def curve(**params):
        learner = ActiveLearner(
            model, Random(), batch_size=6, n_rounds=3, random_state=0, select_size=0
        ).fit(X, Y, **params)
        last = learner.estimator_
        return (last[-1] if in_pipeline else last).loss_curve_

    assert curve(**{name: sample}) != curve()
    assert curve(**{name: np.ones(len(X))}) == pytest.approx(curve(), rel=1e-5)


def test_weights_go_through_a_learner_that_picks_by_margin():
    y = np.where(Y == 1, "rare", "usual")
    learner = ActiveLearner(
        TorchClassifier(MLP, max_epochs=2), Margin(), batch_size=5, n_rounds=2,
        random_state=0,
    )  # fmt: skip
    learner.fit(X, y, sample_weight=np.where(y == "rare", 9.0, 1.0))
    assert np.isfinite(learner.curve_).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({7: 2.0}, "class_weight has a weight for 7, which is not among the classes"),
        ({0: -1.0}, "class_weight must be at least 0 and finite .* got -1.0 for 0"),
        ({0: "much"}, "class_weight must be at least 0 .* got 'much' for 0"),
        ({0: np.nan}, "class_weight must be at least 0 and finite"),
        (dict.fromkeys(range(3), 0), "weights of all training rows are 0"),
        ("even", "'class_weight' parameter of TorchClassifier must be"),
        ([1, 2], "'class_weight' parameter of TorchClassifier must be"),
    ],
)
def test_odd_weights_of_classes_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        TorchClassifier(MLP, class_weight=given).fit(X, Y)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros(90), "at least one non-zero number"),
        (np.ones(89), r"sample_weight.shape == \(89,\), expected \(90,\)"),
        (np.r_[-1.0, np.ones(89)], "Negative values in data passed to"),
        (np.r_[np.nan, np.ones(89)], "contains NaN"),
    ],
)
@pytest.mark.parametrize("case", ["MLP", "bag"])
def test_odd_weights_of_rows_are_refused(case, given, message):
    net, rows, y = CASES[case]
    with pytest.raises(ValueError, match=message):
        clone(net).fit(rows, y, sample_weight=given)


def test_a_class_without_rows_may_have_a_weight():
    few = Y < 2
    net = TorchClassifier(MLP, max_epochs=1, class_weight={2: 5.0, 1: 2.0})
    assert net.fit(X[few], Y[few], classes=[0, 1, 2]).predict_proba(X).shape == (90, 3)


def test_empty_sentences_have_no_weight():
    net, rows, y = CASES["tagger"]
    sample = np.random.default_rng(0).random(len(rows))
    plain = clone(net).fit(rows, y, sample_weight=sample)
    more = clone(net).fit([[], *rows], [[], *y], sample_weight=np.r_[99, sample])
    assert plain.loss_curve_ == more.loss_curve_


def test_old_descriptions_are_those_of_nets_without_weights():
    old = (
        "skal.nets.TorchClassifier(batch_size=32, device='cpu', lr=0.001, "
        "max_epochs=100, module=skal.nets.MLP, module_params=None, patience=20, "
        "random_state=None, scoring=None)"
    )
    assert describe(TorchClassifier(MLP)) == old
    assert "class_weight='balanced'" in describe(
        TorchClassifier(MLP, class_weight="balanced")
    )
    assert "class_weight" not in describe(BiLSTMTagger())


def test_files_keep_weights_and_old_files_have_none(tmp_path):
    path = tmp_path / "net"
    given = {np.int64(0): 2.0, 1: 0.5}
    net = TorchClassifier(MLP, max_epochs=1, class_weight=given).fit(X, Y)
    net.save(path)
    assert TorchClassifier.load(path).class_weight == given
    tensors, facts = _saving.read(path)
    del facts["params"]["class_weight"]
    _saving.write(path, tensors, facts)
    assert TorchClassifier.load(path).class_weight is None


def test_a_net_of_the_users_own_needs_no_such_parameter():
    class Short(TorchClassifier):
        def __init__(self, max_epochs=2, random_state=None):
            super().__init__(MLP, max_epochs=max_epochs, random_state=random_state)
            del self.class_weight

    assert Short().fit(X, Y, sample_weight=np.ones(90)).score(X, Y) > 0
    assert Short().side_by_side(X, Y) is not None


def test_weights_leave_the_global_state_alone():
    state = torch.get_rng_state()
    clone(CASES["MLP"][0]).fit(X, Y, sample_weight=np.arange(90))
    assert torch.equal(state, torch.get_rng_state())
