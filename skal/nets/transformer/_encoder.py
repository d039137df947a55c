"""TextEncoder: sentence embeddings from a frozen transformer."""

import os
from functools import lru_cache
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted

from skal._sklearn import Interval, StrOptions, _fit_context
from skal.nets._training import check_device
from skal.nets.transformer._checkpoint import (
    find_checkpoint,
    fingerprint_of,
    import_transformers,
    read_facts,
    reading,
)
from skal.nets.transformer._embeddings import digest, embeddings_of
from skal.nets.transformer._network import padding_number, token_limit
from skal.nets.transformer._texts import as_texts, check_max_length, cut
from skal.seeding import isolated


class TextEncoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Embed sentences with a pretrained transformer that is not trained further.

    As the first step of a Pipeline, it turns sentences into rows of numbers for any
    classifier. Each sentence is encoded only once per process, however often the
    Pipeline is cloned and trained. Supports any encoder of transformers, such as the
    checkpoints of sentence-transformers. This class needs transformers: ``pip install
    'skal-learn[text]'``.

    Parameters
    ----------
    checkpoint : str or path-like, default="sentence-transformers/all-MiniLM-L6-v2"
        A folder that contains a checkpoint with its tokenizer, or a name on the Hugging
        Face Hub. The first `fit` with a name downloads the checkpoint; afterwards, it
        is read from the Hub's cache, without a network connection.

    pooling : {"mean", "cls"}, default="mean"
        How the outputs at the tokens of a sentence become one embedding: their mean, or
        the output at the first token ("[CLS]"), as checkpoints such as BGE want it.

    normalize : bool, default=False
        Whether to divide each embedding by its length, so that dot products are cosine
        similarities.

    max_length : int, default=None
        Maximum number of tokens per sentence, including the special tokens added by the
        tokenizer; longer sentences are truncated. None uses the limit of the
        checkpoint, and warns if a sentence is truncated.

    batch_size : int, default=8
        Number of sentences that are encoded at a time. Larger numbers are faster on a
        GPU.

    cache_folder : str or path-like, default=None
        Folder of a file that keeps all embeddings, so that other processes and later
        runs need not encode the same sentences again. None keeps them in memory only.

    device : str, default="cpu"
        Device on which to encode, such as "cuda".

    Attributes
    ----------
    config_ : dict
        The checkpoint's config, which describes its architecture.

    model_max_length_ : int or None
        Maximum number of tokens of the checkpoint; None if unlimited.

    n_outputs_ : int
        Number of numbers in an embedding.

    See Also
    --------
    TransformerClassifier : Trains all weights of a checkpoint.
    embedding_matrix : Vectors of single words.

    Notes
    -----
    Sentences of the same number of tokens are encoded together, in batches that are
    filled up to `batch_size`. So the embedding of a sentence does not depend on the
    others: it has no padding, and the same shapes are computed for each. It does depend
    on `batch_size`, the number of threads and the device, in its last digits.

    Embeddings are kept under digests of the sentence and of the files of the
    checkpoint. In memory they take up to one gigabyte.

    References
    ----------
    Reimers and Gurevych, "Sentence-BERT: Sentence Embeddings using Siamese
    BERT-Networks", EMNLP 2019.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from skal.datasets import make_intents
    >>> from skal.nets import TextEncoder
    >>> X, y = make_intents(200, random_state=0)
    >>> model = make_pipeline(TextEncoder(), LogisticRegression())
    >>> model.fit(X, y).predict(["set an alarm for five"])  # doctest: +SKIP
    array(['create alarm'], dtype='<U12')
    """

    _parameter_constraints: dict = {
        "checkpoint": [str, os.PathLike],
        "pooling": [StrOptions({"mean", "cls"})],
        "normalize": ["boolean"],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "cache_folder": [str, os.PathLike, None],
        "device": [str],
    }

    def __init__(
        self,
        checkpoint="sentence-transformers/all-MiniLM-L6-v2",
        *,
        pooling="mean",
        normalize=False,
        max_length=None,
        batch_size=8,
        cache_folder=None,
        device="cpu",
    ):
        self.checkpoint = checkpoint
        self.pooling = pooling
        self.normalize = normalize
        self.max_length = max_length
        self.batch_size = batch_size
        self.cache_folder = cache_folder
        self.device = device

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Find the checkpoint. Nothing is learned from the sentences.

        Parameters
        ----------
        X : list of n_samples sentences, each a str or a list of str
            Sentences, which are only checked.

        y : None
            Ignored.

        Returns
        -------
        self : TextEncoder
            Fitted encoder.

        Raises
        ------
        ImportError
            If transformers is not installed.
        OSError
            If the checkpoint is not a folder and cannot be downloaded.
        TypeError
            If a row of `X` is not a sentence.
        ValueError
            If there are no rows, the checkpoint is damaged or lacks a tokenizer,
            `max_length` exceeds its limit, or the device is not available.
        """
        as_texts(X)
        check_device(self.device)
        self._folder = find_checkpoint(self.checkpoint)
        facts = _facts(self._folder, fingerprint_of(self._folder))
        self.config_, self.model_max_length_ = facts.config, facts.limit
        self.n_outputs_ = self._n_features_out = facts.n_outputs
        check_max_length(self.max_length, facts.limit, facts.tokenizer, self.checkpoint)
        return self

    def transform(self, X):
        """Return the embedding of each sentence.

        Parameters
        ----------
        X : list of n_samples sentences, each a str or a list of str
            Sentences to embed.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs), dtype float32
            The embeddings.

        Raises
        ------
        TypeError
            If a row of `X` is not a sentence.
        ValueError
            If there are no rows, or the checkpoint or the file in `cache_folder` is
            damaged.

        Warns
        -----
        UserWarning
            If `max_length` is None and sentences are truncated.
        """
        check_is_fitted(self)
        texts = as_texts(X)
        mark = fingerprint_of(self._folder)
        how = self.pooling, self.max_length
        found = embeddings_of(
            texts, digest(mark, *how), self._encode, self.cache_folder
        )
        if not self.normalize:
            return found
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        return found / np.where(lengths > 0, lengths, 1)

    def _encode(self, texts):
        """Return the embeddings of texts, without looking for them in the cache."""
        mark = fingerprint_of(self._folder)
        facts = _facts(self._folder, mark)
        rows = cut(
            facts.tokenizer, texts, self.max_length, facts.limit, self.checkpoint
        )
        # Without special tokens, an empty sentence has no tokens: use padding.
        rows = [row or [padding_number(facts.config)] for row in rows]
        model = _model(self._folder, mark, self.device)
        found = np.empty((len(rows), self.n_outputs_), dtype=np.float32)
        for places in _batches(rows, self.batch_size):
            # Fill up the batch, so that all have the same shape.
            filled = np.resize(places, self.batch_size)
            ids = torch.tensor([rows[i] for i in filled], device=self.device)
            found[places] = self._pooled(model, ids)[: len(places)]
        return found

    def _pooled(self, model, ids):
        """Return the embeddings of token numbers of shape (batch_size, length)."""
        with torch.inference_mode():
            outputs = model(input_ids=ids, attention_mask=torch.ones_like(ids))
            states = outputs.last_hidden_state
            pooled = states[:, 0] if self.pooling == "cls" else states.mean(dim=1)
            return pooled.float().cpu().numpy()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _batches(rows, size):
    """Yield the places of rows of the same length, at most `size` at a time."""
    lengths = np.array([len(row) for row in rows])
    for length in np.unique(lengths):
        places = np.flatnonzero(lengths == length)
        yield from (places[i : i + size] for i in range(0, len(places), size))


class _Facts(NamedTuple):
    """Everything about a checkpoint but its weights."""

    config: dict[str, Any]
    tokenizer: Any
    limit: int | None
    n_outputs: int


# Reading a tokenizer takes longer than training a small classifier does.
@lru_cache(maxsize=4)
def _facts(folder: str, mark: bytes) -> _Facts:
    config, tokenizer = read_facts(folder, is_classifier=False)
    with torch.device("meta"), isolated(0):
        body = _body(import_transformers().AutoModel.from_config(_config(config)))
    n_outputs = int(body.config.hidden_size)
    return _Facts(config, tokenizer, token_limit(body, tokenizer), n_outputs)


@lru_cache(maxsize=2)
def _model(folder: str, mark: bytes, device: str) -> Any:
    """Return the body of a checkpoint with its weights, in prediction mode."""
    auto = import_transformers()
    config, _ = read_facts(folder, is_classifier=False)
    with reading(folder, "weights"), isolated(0):
        model = auto.AutoModel.from_pretrained(
            folder,
            config=_config(config),
            local_files_only=True,
            trust_remote_code=False,
            attn_implementation="eager",
            dtype=torch.float32,
        )
    return _body(model).to(device).eval().requires_grad_(False)


def _config(config: dict[str, Any]) -> Any:
    return import_transformers().AutoConfig.for_model(**config)


def _body(model: Any) -> Any:
    """Return the encoder of a model that also has a decoder, such as T5."""
    return model.get_encoder() if model.config.is_encoder_decoder else model
