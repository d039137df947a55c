"""
Named entities, where a sentence costs its tokens
=================================================

Annotators of entities read every word, so a long sentence costs more than a short one.
Strategies for taggers are compared at the same number of tokens.
"""

# %%
# A sentence is a list of tokens with a tag for each. `LinearTagger`, in a file beside
# this one, tags by logistic regression on word vectors: any estimator with a method
# `predict_token_log_proba` is a tagger. The vectors of the words are random here.
import numpy as np
from linear_tagger import LinearTagger

from skal import (
    ActiveLearner,
    Longest,
    MinConfidence,
    PerCost,
    Random,
    TokenEntropy,
    split,
)
from skal.datasets import make_tagged_sentences
from skal.plotting import PerformanceCurveDisplay

X, y = make_tagged_sentences(900, random_state=0)
sets = split(X, y, warm_size=10, val_size=0.2, test_size=300, random_state=0)
words = sorted({word.lower() for tokens in X for word in tokens})
vectors = {
    "words": words,
    "vectors": np.random.default_rng(0).normal(size=(len(words), 20)),
}
print(list(zip(X[0], y[0], strict=True)))


# %%
# A round spends 60 tokens, and models are scored by the F1 of the tags.
def learn(strategy):
    """Return a run in which a sentence costs its tokens."""
    learner = ActiveLearner(
        LinearTagger(vectors),
        strategy,
        cost="tokens",
        batch_size=60,
        n_rounds=6,
        scoring="f1_macro",
        random_state=0,
    )
    return learner.fit(**sets)


runs = {
    "lowest confidence": learn(MinConfidence()),
    "lowest confidence per token": learn(MinConfidence(normalize=True)),
    "entropy per cost": learn(PerCost(TokenEntropy())),
    "longest": learn(Longest()),
    "random": [learn(Random(random_state=seed)) for seed in range(5)],
}

# %%
# A strategy that likes long sentences buys few of them.
for name, run in runs.items():
    one = np.atleast_1d(run)[0]
    print(f"{name:27} {one.quality_:.3f} with {len(one.order_):3} sentences")

# %%
PerformanceCurveDisplay.from_estimators(runs, baseline="random")
