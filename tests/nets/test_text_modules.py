import pytest

pytest.importorskip("torch", reason="torch is an extra")
pytest.importorskip("skorch", reason="skorch is an extra")

import torch
from torch import nn

from skal.nets.text._bilstm import BiLSTMNet
from skal.nets.text._embedding_bag import EmbeddingBagNet
from skal.nets.text._text_cnn import ConvolutionNet
from skal.nets.text._word_net import mean_over_words

every_module = pytest.mark.parametrize(
    "module", [EmbeddingBagNet, BiLSTMNet, ConvolutionNet]
)


def make_module(module, **params):
    torch.manual_seed(0)
    net = module(n_classes=3, n_words=9, dimension=4, **params).eval()
    with torch.no_grad():
        net.embedding.weight[1:].normal_()
    return net


@pytest.fixture(autouse=True)
def restored_generator():
    """These tests seed torch for modules of their own."""
    with torch.random.fork_rng():
        yield


def test_a_mean_is_over_real_words():
    values = torch.tensor([[[1.0, 2], [3, 4], [90, 90]], [[5, 6], [90, 90], [90, 90]]])
    means = mean_over_words(values, torch.tensor([2, 1]))
    assert means.tolist() == [[2, 3], [5, 6]]


def test_the_average_net_by_hand():
    net = make_module(EmbeddingBagNet)
    linear = [layer for layer in net.head if isinstance(layer, nn.Linear)]
    shapes = [tuple(layer.weight.shape) for layer in linear]
    assert shapes == [(100, 4), (100, 100), (3, 100)]
    E = net.embedding.weight
    hidden = torch.stack([(E[3] + E[5] + E[5]) / 3, E[1]])
    expected = linear[2](linear[1](linear[0](hidden).relu()).relu())
    logits = net(torch.tensor([[3, 5, 5, 0], [1, 0, 0, 0]]))
    torch.testing.assert_close(logits, expected)


def test_the_lstm_by_hand():
    net = make_module(BiLSTMNet)
    lstm = nn.LSTM(4, 4, batch_first=True, bidirectional=True)
    left = net.encoder.leftward.state_dict()
    own = {**net.encoder.rightward.state_dict()}
    lstm.load_state_dict(own | {f"{name}_reverse": w for name, w in left.items()})
    X = torch.tensor([[3, 5, 2, 0, 0], [4, 0, 0, 0, 0], [2, 3, 4, 5, 6]])
    for row, n_words, logits in zip(X, (3, 1, 5), net(X), strict=True):
        states, _ = lstm(net.embedding(row[None, :n_words]))
        torch.testing.assert_close(logits, net.head[1](states[0].mean(dim=0)))


def test_the_convolutions_by_hand():
    net = make_module(ConvolutionNet)
    assert [c.weight.shape for c in net.convolutions] == [
        (50, 4, 3),
        (50, 50, 3),
        (50, 50, 3),
    ]
    X = torch.tensor([[3, 5, 2, 0, 0], [4, 0, 0, 0, 0], [2, 3, 4, 5, 6]])
    for row, n_words, logits in zip(X, (3, 1, 5), net(X), strict=True):
        H = net.embedding(row[None, :n_words]).transpose(1, 2)
        for convolution in net.convolutions:
            H = convolution(H).relu()
        hidden = net.head[0](H[0].mean(dim=1)).relu()
        torch.testing.assert_close(logits, net.head[3](hidden))


@every_module
def test_padding_does_not_matter(module):
    net = make_module(module)
    X = torch.tensor([[3, 5, 2, 0], [4, 1, 0, 0]])
    wider = torch.cat([X, torch.zeros(2, 6, dtype=torch.int64)], dim=1)
    torch.testing.assert_close(net(wider), net(X))
    torch.testing.assert_close(net(X)[1:], net(torch.tensor([[4, 1]])))
    assert net(torch.zeros(2, 3, dtype=torch.int64)).isfinite().all()


@every_module
def test_the_vector_of_padding_is_not_trained(module):
    net = make_module(module).train()
    net(torch.tensor([[3, 5], [4, 0]])).sum().backward()
    gradient = net.embedding.weight.grad
    assert (gradient[0] == 0).all()
    assert (gradient[[3, 4, 5]] != 0).any(dim=1).all()
    assert (net.embedding.weight[0] == 0).all()


@every_module
def test_the_inputs_of_the_last_layer_are_dropped(module):
    *others, dropout, last = make_module(module, dropout=0.3).head
    assert isinstance(last, nn.Linear)
    assert isinstance(dropout, nn.Dropout)
    assert dropout.p == 0.3
    assert not any(isinstance(layer, nn.Dropout) for layer in others)
