"""The network of `TransformerClassifier`: a classifier of transformers, wrapped."""

from typing import Any

import torch
from torch import nn

from skal.nets.transformer._checkpoint import import_transformers, quiet, reading

# The number of no token, unlike the model's own padding, which some do not have.
PADDING = -1
# What a tokenizer without a limit says its limit is, or more.
_NO_LIMIT = 10**9


class UnitDropout(nn.Module):
    """Dropout whose posterior samples drop the same units at each position.

    In training it is `torch.nn.Dropout`. The mask of a sample is one per unit, so that
    it does not depend on how long the sentences of a minibatch are.

    Parameters
    ----------
    p : float
        Probability with which an input is dropped.
    """

    def __init__(self, p):
        super().__init__()
        self.p = p
        self.layer = nn.Dropout(p)

    def forward(self, X):
        """Drop inputs.

        Parameters
        ----------
        X : tensor of shape (..., n_units)

        Returns
        -------
        tensor of the same shape
        """
        if self.training:
            return self.layer(X)
        # Attention weights, (n_sentences, n_heads, length, length), are of no unit.
        if X.ndim > 3:
            return X
        return X * self.layer(X.new_ones(1, X.shape[-1]))


class TransformerNet(nn.Module):
    """A classifier of transformers, with tokens in and logits out.

    Parameters
    ----------
    n_classes : int
        Number of logits.

    config : dict
        The architecture, as `read_facts` returns it.

    folder : str, default=None
        The checkpoint to begin with. None draws all weights.
    """

    def __init__(self, n_classes, config, folder=None):
        super().__init__()
        self.padding = padding_number(config)
        config = config | {"pad_token_id": self.padding}
        self.model = build_model(config, n_classes, folder)
        self.head = nn.Identity()
        # Models that read from left to right have a head at each token, and take what
        # the last one says. The head behind them instead has one input per sentence.
        if hasattr(self.model, "score"):
            self.head, self.model.score = self.model.score, nn.Identity()
        share_masks(self)

    def forward(self, X):
        """Return the logits.

        Parameters
        ----------
        X : tensor of shape (n_sentences, length), dtype int64
            Token numbers, and -1 for padding.

        Returns
        -------
        tensor of shape (n_sentences, n_classes)
        """
        # Columns in which all is padding take time and change nothing.
        X = X[:, (X != PADDING).any(dim=0)]
        is_token = X != PADDING
        ids = X.where(is_token, self.padding)
        answer = self.model(input_ids=ids, attention_mask=is_token.long())
        return self.head(answer.logits)


def share_masks(module):
    """Put a `UnitDropout` in the place of each dropout layer.

    Parameters
    ----------
    module : torch.nn.Module
        Changed in place.
    """
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Dropout:
                setattr(parent, name, UnitDropout(child.p))


def padding_number(config):
    """Return the number of the token that a model takes for padding.

    Parameters
    ----------
    config : dict

    Returns
    -------
    int
        The end of a sentence where there is no padding, as in GPT-2.
    """
    for name in ("pad_token_id", "eos_token_id"):
        found = config.get(name)
        # Some have several ends.
        found = found[0] if isinstance(found, list) and found else found
        if isinstance(found, int) and found >= 0:
            return found
    return 0


def build_model(
    config: dict[str, Any], n_classes: int, folder: str | None = None
) -> Any:
    """Build a classifier of sentences.

    Parameters
    ----------
    config : dict
        As `read_facts` returns it.
    n_classes : int
    folder : str, default=None
        The checkpoint to begin with; a head of another number of classes is new. None
        draws all weights.

    Returns
    -------
    transformers.PreTrainedModel

    Raises
    ------
    ValueError
        If the weights of the checkpoint are damaged, or of another architecture.
    """
    auto = import_transformers()
    described = auto.AutoConfig.for_model(**config)
    described.num_labels = n_classes
    described.use_cache = False
    # The faster kernels of a GPU add up in any order, so no two trainings are the same.
    # Half precision is for prediction: Adam's steps would get lost in it.
    kind = {"attn_implementation": "eager", "dtype": torch.float32}
    classifier = auto.AutoModelForSequenceClassification
    if folder is None:
        with quiet():
            return _head_last(classifier.from_config(described, **kind))
    with reading(folder, "weights"):
        model, info = classifier.from_pretrained(
            folder, config=described, local_files_only=True, trust_remote_code=False,
            ignore_mismatched_sizes=True, output_loading_info=True, **kind,
        )  # fmt: skip
    _check_body(model, info, folder)
    return _head_last(model)


def _head_last(model: Any) -> Any:
    """Put the body before the head, as what looks for the last layer expects.

    XLM-RoBERTa lists its head first.
    """
    name = model.base_model_prefix
    layers = dict(model._modules)
    if name in layers:
        model._modules = {name: layers.pop(name)} | layers
    return model


def _check_body(model: Any, info: dict[str, Any], folder: str) -> None:
    """Refuse a model of which more than the head is new."""
    # Of the mismatched, it tells the two shapes as well.
    mismatched = [key[0] for key in info["mismatched_keys"]]
    body = f"{model.base_model_prefix}."
    new = sorted(
        name
        for name in {*info["missing_keys"], *mismatched}
        # Checkpoints trained on words alone come without a pooler.
        if name.startswith(body) and "pooler" not in name
    )
    if new:
        raise ValueError(
            f"The weights of the checkpoint {folder} do not fit its config.json, which "
            f"has another {new[0]}: download or save the checkpoint again."
        )


def longest_sentence(config: dict[str, Any], tokenizer: Any) -> int | None:
    """Return the number of tokens that a model takes, special ones counted.

    Parameters
    ----------
    config : dict
        As `read_facts` returns it.
    tokenizer : transformers.PreTrainedTokenizerBase

    Returns
    -------
    int or None
        None if there is no limit.
    """
    # Built without memory.
    with torch.device("meta"):
        model = build_model(config, 2)
    # RoBERTa and its kin count positions from behind the number of the padding.
    unused = [
        layer.padding_idx + 1
        for name, layer in model.named_modules()
        if name.endswith("position_embeddings")
        and getattr(layer, "padding_idx", None) is not None
    ]
    positions = getattr(model.config, "max_position_embeddings", None) or 0
    limits = [tokenizer.model_max_length]
    if positions > 0:
        limits.append(positions - max(unused, default=0))
    return min(limits) if min(limits) < _NO_LIMIT else None


def with_dropout(config: dict[str, Any], p: float | None) -> dict[str, Any]:
    """Return a config in which all that is dropped is dropped with one probability.

    Parameters
    ----------
    config : dict
    p : float or None
        None leaves the config's own.

    Returns
    -------
    dict

    Examples
    --------
    >>> from skal.nets.transformer._network import with_dropout
    >>> with_dropout({"hidden_dropout_prob": 0.1, "classifier_dropout": None,
    ...               "attn_pdrop": 0.1, "hidden_size": 8}, 0.5)
    {'hidden_dropout_prob': 0.5, 'classifier_dropout': 0.5, 'attn_pdrop': 0.5,
     'hidden_size': 8}
    """
    if p is None:
        return config
    return config | {
        name: float(p)
        for name, value in config.items()
        if ("dropout" in name or name.endswith("pdrop"))
        and (value is None or type(value) in (int, float))
    }
