"""Classifiers of sentences: the estimators of the paper's intent classification."""

from skal.nets._stack_average import AverageStack
from skal.nets._stacks import BiLSTMStack, ConvolutionStack
from skal.nets._text_base import BaseTextClassifier
from skal.nets._text_modules import AverageNet, BiLSTMNet, ConvolutionNet


class BiLSTMClassifier(BaseTextClassifier):
    """The bidirectional LSTM of the paper, for sentences.

    Word vectors, a bidirectional LSTM with as many hidden units in each direction as a
    vector has values, the mean of its states over the words, and a linear layer of one
    unit per class. It is trained as `TorchClassifier` trains.

    A sentence is a text, or a list of words, and a text is cut up as `Vocabulary` does.
    What is predicted for a sentence does not depend on the others.

    Parameters
    ----------
    vectors : Bunch or mapping of str to array-like of shape (dimension,), default=None
        Word vectors to begin with, which training changes: what
        `skal.datasets.fetch_glove` returns, or each word, in lower case, with its
        vector. Words of the training sentences that have none begin with a random one
        of the same scale. None begins with standard normal vectors.

    embedding_dim : int, default=50
        Length of the word vectors, if `vectors` are not given.

    dropout : float, default=0.0
        Probability with which an input of the last layer is dropped in training, and in
        the samples of `sample_proba`, which needs it to be above 0.

    lr : float, default=1e-3
        Learning rate of Adam.

    max_epochs : int, default=100
        At most so many passes through the sentences.

    batch_size : int, default=32
        Sentences in a minibatch.

    patience : int, default=20
        With a validation set, training stops after this many epochs without a better
        score.

    scoring : str, callable or None, default=None
        What an epoch is judged by, as everywhere in scikit-learn; None takes the
        estimator's `score`, which is the accuracy.

    device : str, default="cpu"
        Where to train and predict, such as "cuda".

    random_state : int, RandomState instance or None, default=None
        Determines the initial weights and random word vectors, the minibatches, and
        what dropout drops in training. Pass an int for the same model in every call.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class list.

    module_ : torch.nn.Module
        The trained module.

    words_ : list of str, of length n_words
        The words known: those of `vectors` and those of the training sentences. All
        others are one unknown word.

    embedding_dim_ : int
        Length of the word vectors.

    input_shape_ : tuple of int
        Number of words of the longest training sentence, as a tuple. Others may be
        longer.

    loss_curve_ : list of float
        Mean training loss of each epoch.

    validation_scores_ : list of float
        Validation score after each epoch; empty without a validation set.

    best_epoch_ : int
        The epoch, from 1, whose weights were kept.

    See Also
    --------
    TextCNNClassifier : Sees each word with its neighbours.
    EmbeddingBagClassifier : Leaves the order of words out.

    Notes
    -----
    An empty sentence is one unknown word. Each step of training takes time for all
    `vectors`: give those of the task's words, as in `fetch_glove(words=...)`.

    References
    ----------
    Zhou et al., "Towards Understanding the Behaviors of Optimal Deep Active Learning
    Algorithms", AISTATS 2021, Table 1.

    Examples
    --------
    >>> from skal.datasets import make_intents
    >>> from skal.nets import BiLSTMClassifier
    >>> X, y = make_intents(200, random_state=0)
    >>> model = BiLSTMClassifier(dropout=0.5, max_epochs=3, random_state=0).fit(X, y)
    >>> model.predict(["set an alarm for five"]).shape, model.embed(X).shape
    ((1,), (200, 100))
    >>> model.sample_proba(X, n_samples=3, random_state=0).shape
    (200, 3, 4)
    """

    _module = BiLSTMNet
    _stack_class = BiLSTMStack


class TextCNNClassifier(BaseTextClassifier):
    """The convolutional network of the paper, for sentences.

    Word vectors, three convolutions over the words, each of 50 channels and of width 3,
    their mean over the words, and linear layers of 50 units and of one per class, with
    ReLU between. It is trained as `TorchClassifier` trains.

    A sentence is a text, or a list of words, and a text is cut up as `Vocabulary` does.
    What is predicted for a sentence does not depend on the others.

    Parameters
    ----------
    vectors : Bunch or mapping of str to array-like of shape (dimension,), default=None
        Word vectors to begin with, which training changes: what
        `skal.datasets.fetch_glove` returns, or each word, in lower case, with its
        vector. Words of the training sentences that have none begin with a random one
        of the same scale. None begins with standard normal vectors.

    embedding_dim : int, default=50
        Length of the word vectors, if `vectors` are not given.

    dropout : float, default=0.0
        Probability with which an input of the last layer is dropped in training, and in
        the samples of `sample_proba`, which needs it to be above 0.

    lr : float, default=1e-3
        Learning rate of Adam.

    max_epochs : int, default=100
        At most so many passes through the sentences.

    batch_size : int, default=32
        Sentences in a minibatch.

    patience : int, default=20
        With a validation set, training stops after this many epochs without a better
        score.

    scoring : str, callable or None, default=None
        What an epoch is judged by, as everywhere in scikit-learn; None takes the
        estimator's `score`, which is the accuracy.

    device : str, default="cpu"
        Where to train and predict, such as "cuda".

    random_state : int, RandomState instance or None, default=None
        Determines the initial weights and random word vectors, the minibatches, and
        what dropout drops in training. Pass an int for the same model in every call.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class list.

    module_ : torch.nn.Module
        The trained module.

    words_ : list of str, of length n_words
        The words known: those of `vectors` and those of the training sentences. All
        others are one unknown word.

    embedding_dim_ : int
        Length of the word vectors.

    input_shape_ : tuple of int
        Number of words of the longest training sentence, as a tuple. Others may be
        longer.

    loss_curve_ : list of float
        Mean training loss of each epoch.

    validation_scores_ : list of float
        Validation score after each epoch; empty without a validation set.

    best_epoch_ : int
        The epoch, from 1, whose weights were kept.

    See Also
    --------
    BiLSTMClassifier : Reads the words in their order, both ways.
    EmbeddingBagClassifier : Leaves the order of words out.

    Notes
    -----
    An empty sentence is one unknown word. Each step of training takes time for all
    `vectors`: give those of the task's words, as in `fetch_glove(words=...)`.

    References
    ----------
    Zhou et al., "Towards Understanding the Behaviors of Optimal Deep Active Learning
    Algorithms", AISTATS 2021, Table 1.

    Examples
    --------
    >>> from skal.datasets import make_intents
    >>> from skal.nets import TextCNNClassifier
    >>> X, y = make_intents(200, random_state=0)
    >>> model = TextCNNClassifier(dropout=0.5, max_epochs=3, random_state=0).fit(X, y)
    >>> model.predict(["set an alarm for five"]).shape, model.embed(X).shape
    ((1,), (200, 50))
    >>> model.sample_proba(X, n_samples=3, random_state=0).shape
    (200, 3, 4)
    """

    _module = ConvolutionNet
    _stack_class = ConvolutionStack


class EmbeddingBagClassifier(BaseTextClassifier):
    """The average-of-embedding network of the paper, for sentences.

    The mean of the word vectors, and linear layers of 100 units, 100 units and one per
    class, with ReLU between. It is trained as `TorchClassifier` trains.

    A sentence is a text, or a list of words, and a text is cut up as `Vocabulary` does.
    What is predicted for a sentence does not depend on the others.

    Parameters
    ----------
    vectors : Bunch or mapping of str to array-like of shape (dimension,), default=None
        Word vectors to begin with, which training changes: what
        `skal.datasets.fetch_glove` returns, or each word, in lower case, with its
        vector. Words of the training sentences that have none begin with a random one
        of the same scale. None begins with standard normal vectors.

    embedding_dim : int, default=50
        Length of the word vectors, if `vectors` are not given.

    dropout : float, default=0.0
        Probability with which an input of the last layer is dropped in training, and in
        the samples of `sample_proba`, which needs it to be above 0.

    lr : float, default=1e-3
        Learning rate of Adam.

    max_epochs : int, default=100
        At most so many passes through the sentences.

    batch_size : int, default=32
        Sentences in a minibatch.

    patience : int, default=20
        With a validation set, training stops after this many epochs without a better
        score.

    scoring : str, callable or None, default=None
        What an epoch is judged by, as everywhere in scikit-learn; None takes the
        estimator's `score`, which is the accuracy.

    device : str, default="cpu"
        Where to train and predict, such as "cuda".

    random_state : int, RandomState instance or None, default=None
        Determines the initial weights and random word vectors, the minibatches, and
        what dropout drops in training. Pass an int for the same model in every call.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class list.

    module_ : torch.nn.Module
        The trained module.

    words_ : list of str, of length n_words
        The words known: those of `vectors` and those of the training sentences. All
        others are one unknown word.

    embedding_dim_ : int
        Length of the word vectors.

    input_shape_ : tuple of int
        Number of words of the longest training sentence, as a tuple. Others may be
        longer.

    loss_curve_ : list of float
        Mean training loss of each epoch.

    validation_scores_ : list of float
        Validation score after each epoch; empty without a validation set.

    best_epoch_ : int
        The epoch, from 1, whose weights were kept.

    See Also
    --------
    BiLSTMClassifier : Reads the words in their order, both ways.
    TextCNNClassifier : Sees each word with its neighbours.

    Notes
    -----
    An empty sentence is one unknown word. Each step of training takes time for all
    `vectors`: give those of the task's words, as in `fetch_glove(words=...)`.

    References
    ----------
    Zhou et al., "Towards Understanding the Behaviors of Optimal Deep Active Learning
    Algorithms", AISTATS 2021, Table 1.

    Examples
    --------
    >>> from skal.datasets import make_intents
    >>> from skal.nets import EmbeddingBagClassifier
    >>> X, y = make_intents(200, random_state=0)
    >>> net = EmbeddingBagClassifier(dropout=0.5, max_epochs=3, random_state=0)
    >>> model = net.fit(X, y)
    >>> model.predict(["set an alarm for five"]).shape, model.embed(X).shape
    ((1,), (200, 100))
    >>> model.sample_proba(X, n_samples=3, random_state=0).shape
    (200, 3, 4)
    """

    _module = AverageNet
    _stack_class = AverageStack
