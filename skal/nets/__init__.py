"""Neural networks: scikit-learn on the outside, torch and skorch on the inside."""

from skal._extras import install_hint

try:
    import safetensors  # noqa: F401
    import skorch  # noqa: F401
    import torch  # noqa: F401
except ImportError as error:
    raise ImportError(
        "skal.nets needs torch, skorch and safetensors: install them with "
        f"{install_hint('nets')}."
    ) from error

from skal.nets._image_cnn import ImageCNN
from skal.nets._modules import MLP
from skal.nets._torch_classifier import TorchClassifier
from skal.nets._torch_regressor import TorchRegressor
from skal.nets.text._bilstm import BiLSTMClassifier
from skal.nets.text._embedding_bag import EmbeddingBagClassifier
from skal.nets.text._tagger import BiLSTMTagger
from skal.nets.text._text_cnn import TextCNNClassifier
from skal.nets.text._vectors import embedding_matrix
from skal.nets.text._vocabulary import Vocabulary
from skal.nets.transformer._classifier import TransformerClassifier
from skal.nets.transformer._encoder import TextEncoder

__all__ = [
    "MLP",
    "BiLSTMClassifier",
    "BiLSTMTagger",
    "EmbeddingBagClassifier",
    "ImageCNN",
    "TextCNNClassifier",
    "TextEncoder",
    "TorchClassifier",
    "TorchRegressor",
    "TransformerClassifier",
    "Vocabulary",
    "embedding_matrix",
]
