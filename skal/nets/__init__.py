"""Neural networks: scikit-learn on the outside, torch and skorch on the inside."""

from skal.utils._extras import install_hint

try:
    import safetensors  # noqa: F401
    import skorch  # noqa: F401
    import torch  # noqa: F401
except ImportError as error:
    raise ImportError(
        "skal.nets needs torch, skorch and safetensors: install them with "
        f"{install_hint('nets')}."
    ) from error

from skal.nets._classifier import TorchClassifier
from skal.nets._image import ImageCNN
from skal.nets._modules import MLP
from skal.nets._tagger import BiLSTMTagger
from skal.nets._text import BiLSTMClassifier, EmbeddingBagClassifier, TextCNNClassifier
from skal.nets._transformer import TransformerClassifier
from skal.nets._vectors import embedding_matrix
from skal.nets._vocabulary import Vocabulary

__all__ = [
    "MLP",
    "BiLSTMClassifier",
    "BiLSTMTagger",
    "EmbeddingBagClassifier",
    "ImageCNN",
    "TextCNNClassifier",
    "TorchClassifier",
    "TransformerClassifier",
    "Vocabulary",
    "embedding_matrix",
]
