"""The network of `TransformerClassifier`, which wraps a classifier of transformers."""

from typing import Any

import torch
from torch import nn

from skal.nets.transformer._checkpoint import import_transformers, quiet, reading

# Padding in our token numbers, since some models have no padding token of their own.
PADDING = -1
# Lower bound of the huge limit that a tokenizer without a limit reports.
_NO_LIMIT = 10**9


class UnitDropout(nn.Module):
    """Dropout whose posterior samples drop the same units at all positions.

    In training it acts as `torch.nn.Dropout`. In a posterior sample, the mask has one
    value per unit, so that it does not depend on the length of the sentences.

    Parameters
    ----------
    p : float
        Probability of dropping an input.
    """

    def __init__(self, p):
        super().__init__()
        self.p = p
        self.layer = nn.Dropout(p)

    def forward(self, X):
        """Apply dropout.

        Parameters
        ----------
        X : tensor of shape (..., n_units)
            The inputs.

        Returns
        -------
        tensor of the same shape
            The outputs.
        """
        if self.training:
            return self.layer(X)
        # Attention weights, (n_sentences, n_heads, length, length), have no unit axis.
        if X.ndim > 3:
            return X
        return X * self.layer(X.new_ones(1, X.shape[-1]))


class TransformerNet(nn.Module):
    """A sequence classifier of transformers, from token numbers to logits.

    Parameters
    ----------
    n_classes : int
        Number of logits.

    config : dict
        The architecture, as `read_facts` returns it.

    folder : str, default=None
        Checkpoint with the initial weights. None draws all weights at random.
    """

    def __init__(self, n_classes, config, folder=None):
        super().__init__()
        self.padding = padding_number(config)
        config = config | {"pad_token_id": self.padding}
        self.model = build_model(config, n_classes, folder)
        self.head = nn.Identity()
        # Left-to-right models apply their head at each token and use the output of the
        # last one. Moved behind the model, the head gets one input per sentence.
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
            The logits.
        """
        # Columns that contain only padding cost time but change nothing.
        X = X[:, (X != PADDING).any(dim=0)]
        is_token = X != PADDING
        ids = X.where(is_token, self.padding)
        answer = self.model(input_ids=ids, attention_mask=is_token.long())
        return self.head(answer.logits)


def share_masks(module):
    """Replace each dropout layer by a `UnitDropout`.

    Parameters
    ----------
    module : torch.nn.Module
        The module, which is changed in place.
    """
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Dropout:
                setattr(parent, name, UnitDropout(child.p))


def padding_number(config):
    """Return the number of the padding token of a model.

    Parameters
    ----------
    config : dict
        The architecture, as `read_facts` returns it.

    Returns
    -------
    int
        The end-of-sentence token for models without a padding token, such as GPT-2.
    """
    for name in ("pad_token_id", "eos_token_id"):
        found = config.get(name)
        # Some models have several end-of-sentence tokens.
        found = found[0] if isinstance(found, list) and found else found
        if isinstance(found, int) and found >= 0:
            return found
    return 0


def build_model(
    config: dict[str, Any], n_classes: int, folder: str | None = None
) -> Any:
    """Build a sequence classifier.

    Parameters
    ----------
    config : dict
        The architecture, as `read_facts` returns it.
    n_classes : int
        Number of classes.
    folder : str, default=None
        Checkpoint with the initial weights; its head is replaced if the number of
        classes differs. None draws all weights at random.

    Returns
    -------
    transformers.PreTrainedModel
        The classifier.

    Raises
    ------
    ValueError
        If the weights of the checkpoint are damaged, or for another architecture.
    """
    auto = import_transformers()
    described = auto.AutoConfig.for_model(**config)
    described.num_labels = n_classes
    described.use_cache = False
    # Eager attention, because faster GPU kernels sum in varying order, so that no two
    # trainings would be the same. Not half precision, in which Adam's steps get lost.
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
    """Move the head after the body, where `embed` looks for the last layer.

    XLM-RoBERTa lists its head first.
    """
    name = model.base_model_prefix
    layers = dict(model._modules)
    if name in layers:
        model._modules = {name: layers.pop(name)} | layers
    return model


def _check_body(model: Any, info: dict[str, Any], folder: str) -> None:
    """Raise an error if the checkpoint lacks weights of the model's body."""
    # Each mismatched key comes with its two shapes.
    mismatched = [key[0] for key in info["mismatched_keys"]]
    body = f"{model.base_model_prefix}."
    new = sorted(
        name
        for name in {*info["missing_keys"], *mismatched}
        # Checkpoints pretrained on masked words have no pooler.
        if name.startswith(body) and "pooler" not in name
    )
    if new:
        raise ValueError(
            f"The weights of the checkpoint {folder} do not fit its config.json, which "
            f"has another {new[0]}: download or save the checkpoint again."
        )


def longest_sentence(config: dict[str, Any], tokenizer: Any) -> int | None:
    """Return the maximum number of tokens of a model, including special tokens.

    Parameters
    ----------
    config : dict
        The architecture, as `read_facts` returns it.
    tokenizer : transformers.PreTrainedTokenizerBase
        The tokenizer of the model.

    Returns
    -------
    int or None
        None if unlimited.
    """
    # The meta device allocates no memory for the weights.
    with torch.device("meta"):
        model = build_model(config, 2)
    return token_limit(model, tokenizer)


def token_limit(model: Any, tokenizer: Any) -> int | None:
    """Return the maximum number of tokens of a model and its tokenizer.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        The model; it may be on the meta device.
    tokenizer : transformers.PreTrainedTokenizerBase
        The tokenizer of the model.

    Returns
    -------
    int or None
        None if unlimited.
    """
    # RoBERTa and similar models number positions from padding_idx + 1.
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
    """Return a config with the same probability for all kinds of dropout.

    Parameters
    ----------
    config : dict
        The architecture, as `read_facts` returns it.
    p : float or None
        Dropout probability. None keeps the probabilities in the config.

    Returns
    -------
    dict
        The new config.

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
