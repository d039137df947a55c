import pytest

pytest.importorskip("torch", reason="torch is an extra")
pytest.importorskip("skorch", reason="skorch is an extra")

import torch
from torch import nn

from skal.nets.text._tagger_net import N_HIDDEN, TaggerNet

# Padded, of 3, 1, 5 and 2 tokens; 1 is the unknown word.
NUMBERS = torch.tensor(
    [[3, 5, 2, 0, 0, 0], [4, 0, 0, 0, 0, 0], [2, 3, 4, 5, 6, 0], [1, 7, 0, 0, 0, 0]]
)
LENGTHS = (3, 1, 5, 2)
N_TAGS = 6


@pytest.fixture(autouse=True)
def restored_generator():
    """These tests seed torch for modules of their own."""
    with torch.random.fork_rng():
        yield


def make_module(**params):
    """A module whose decoder makes much of the tag before."""
    torch.manual_seed(1)
    net = TaggerNet(n_classes=N_TAGS, n_words=9, dimension=4, **params).eval()
    with torch.no_grad():
        net.embedding.weight[1:].normal_()
        for weight in (net.decoder.weight_ih_l0, net.head[1].weight):
            weight *= 12
    return net


def encode_by_hand(net, words):
    """torch's own bidirectional LSTM, on one sentence without padding."""
    lstm = nn.LSTM(4, 4, batch_first=True, bidirectional=True)
    left = net.encoder.leftward.state_dict()
    own = {**net.encoder.rightward.state_dict()}
    own |= {f"{name}_reverse": weight for name, weight in left.items()}
    lstm.load_state_dict(own)
    return lstm(net.embedding(words[None]))[0]


def decode_by_hand(net, words):
    """One token at a time, through torch's own LSTM. Returns logits and tags."""
    states, memory, before = encode_by_hand(net, words), None, torch.zeros(N_TAGS)
    logits, tags = [], []
    for t in range(len(words)):
        inputs = torch.cat([states[0, t], before])[None, None]
        hidden, memory = net.decoder(inputs, memory)
        logits.append(net.head[1](hidden[0, 0]))
        tags.append(int(logits[-1].argmax()))
        before = torch.eye(N_TAGS)[tags[-1]]
    return torch.stack(logits), tags


def test_the_encoder_by_hand():
    net = make_module()
    encoder = net.encoder
    assert encoder.rightward.hidden_size == encoder.leftward.hidden_size == 4
    states, means = net.encode(NUMBERS), net.embed(NUMBERS)
    assert states.shape == (4, 5, 8)
    for row, n, state, mean in zip(NUMBERS, LENGTHS, states, means, strict=True):
        expected = encode_by_hand(net, row[:n])[0]
        torch.testing.assert_close(state[:n], expected, atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(mean, expected.mean(dim=0), atol=1e-6, rtol=1e-5)


def test_greedy_decoding_by_hand():
    net = make_module()
    assert net.decoder.hidden_size == N_HIDDEN == 50
    decoded, seen = net.decode(NUMBERS), set()
    assert decoded.shape == (4, 5, N_TAGS)
    for row, n, logits in zip(NUMBERS, LENGTHS, decoded, strict=True):
        expected, tags = decode_by_hand(net, row[:n])
        torch.testing.assert_close(logits[:n], expected, atol=1e-6, rtol=1e-5)
        seen |= set(tags)
    assert len(seen) > 2  # the tag before is not always the same


def test_teacher_forcing_with_its_own_predictions_is_greedy_decoding():
    net = make_module()
    decoded = net.decode(NUMBERS)
    before = torch.full(NUMBERS.shape, N_TAGS)
    before[:, 1:5] = decoded.argmax(dim=2)[:, :-1]
    forced = net(torch.stack([NUMBERS, before], dim=1)).transpose(1, 2)
    other = before.clone()
    other[:, 1] = (before[:, 1] + 1) % N_TAGS
    unlike = net(torch.stack([NUMBERS, other], dim=1)).transpose(1, 2)
    for row, n in enumerate(LENGTHS):
        torch.testing.assert_close(
            forced[row, :n], decoded[row, :n], atol=1e-6, rtol=1e-5
        )
        moved = (unlike[row, :n] - forced[row, :n]).abs().amax(dim=1)
        assert (moved[:1] == 0).all()
        assert (moved[1:] > 0.01).all()


def test_logits_have_the_length_of_the_labels():
    net = make_module()
    X = torch.stack([NUMBERS, torch.full(NUMBERS.shape, N_TAGS)], dim=1)
    assert net(X).shape == (4, N_TAGS, 6)
    assert net(X[:2]).shape == (2, N_TAGS, 6)


@pytest.mark.parametrize("method", ["decode", "encode", "embed"])
def test_padding_and_neighbours_do_not_matter(method):
    answer = getattr(make_module(), method)
    together, wider = answer(NUMBERS), answer(nn.functional.pad(NUMBERS, (0, 7)))
    for row, n in enumerate(LENGTHS):
        alone = answer(NUMBERS[row : row + 1, :n])[0]
        for batch in (together, wider):
            found = batch[row] if method == "embed" else batch[row, :n]
            torch.testing.assert_close(found, alone, atol=1e-6, rtol=1e-5)


def test_the_vector_of_padding_is_not_trained_and_padding_trains_nothing():
    net = make_module().train()
    X = torch.stack([NUMBERS, torch.full(NUMBERS.shape, N_TAGS)], dim=1)[1:2]
    gradients = []
    for width in (1, 6):
        net.zero_grad()
        y = torch.full((1, 6), -100)
        y[0, 0] = 2
        nn.CrossEntropyLoss()(net(X[..., :width]), y[:, :width]).backward()
        gradients.append(torch.cat([p.grad.ravel() for p in net.parameters()]))
    torch.testing.assert_close(*gradients)
    rows = net.embedding.weight.grad.abs().sum(dim=1)
    assert torch.nonzero(rows).ravel().tolist() == [4]


def test_dropout_stands_before_the_linear_layer():
    drop, linear = make_module(dropout=0.3).head
    assert (drop.p, linear.in_features, linear.out_features) == (0.3, 50, N_TAGS)
