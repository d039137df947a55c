"""Nets are the same in another process, with other hashes and numbers of threads."""

import subprocess
import sys

SCRIPT = """
import hashlib
from sklearn.datasets import load_digits
from skal.datasets import make_intents, make_tagged_sentences
from skal.nets import (
    MLP,
    BiLSTMClassifier,
    BiLSTMTagger,
    EmbeddingBagClassifier,
    ImageCNN,
    TextCNNClassifier,
    TorchClassifier,
)


def show(model):
    words = getattr(model, "words_", [])
    digest = hashlib.sha256("".join(words).encode())
    for value in model.module_.state_dict().values():
        digest.update(value.numpy().tobytes())
    print(type(model).__name__, digest.hexdigest())


X, y = load_digits(return_X_y=True)
net = TorchClassifier(MLP, module_params={"hidden": 300}, max_epochs=2, random_state=3)
for model in (net, ImageCNN(max_epochs=1, random_state=3)):
    show(model.fit(X[:300] / 16, y[:300]))

X, y = make_intents(60, random_state=0)
vectors = {"alarm": [1.0] * 9, "timer": [2.0] * 9}
for net in (BiLSTMClassifier, EmbeddingBagClassifier, TextCNNClassifier):
    show(net(vectors=vectors, max_epochs=2, random_state=3).fit(X, y))

X, y = make_tagged_sentences(60, random_state=0)
vectors = {"soup": [1.0] * 9, "street": [2.0] * 9}
tagger = BiLSTMTagger(vectors=vectors, dropout=0.3, max_epochs=3, random_state=3)
show(tagger.fit(X, y, X_val=X, y_val=y))
for row in tagger.predict_token_log_proba(X):
    print(hashlib.sha256(row.tobytes()).hexdigest())
print(tagger.validation_scores_)
"""


def test_another_process_and_number_of_threads_train_the_same_weights(monkeypatch):
    outputs = set()
    for n_threads in "12":
        monkeypatch.setenv("OMP_NUM_THREADS", n_threads)
        monkeypatch.setenv("PYTHONHASHSEED", n_threads)
        command = [sys.executable, "-c", SCRIPT]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        outputs.add(done.stdout)
    (output,) = outputs
    assert output.count("\n") == 6 + 60 + 1
