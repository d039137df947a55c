"""Regularization gain: how much distribution matching improves a strategy."""

from collections.abc import Iterator, Mapping

from skal.identity._fingerprint import describe
from skal.studies._comparison import Comparison
from skal.studies._kinds import check_result
from skal.studies._paired import PairedTests
from skal.studies._spec import check_known


def regularization_gain(
    comparison: Comparison, pairs: Mapping[str, str] | None = None
) -> PairedTests:
    """Test strategies with distribution matching against their base strategies.

    Parameters
    ----------
    comparison : Comparison
        A comparison with strategies such as `IDMR(MaxEntropy())`, and with their base,
        here `MaxEntropy()`.
    pairs : dict of str to str, default=None
        Names of wrapped strategies, each with the name of its base. By default, every
        `IDMR` and `ODMR` whose base is also in the comparison, with the same
        parameters.

    Returns
    -------
    PairedTests
        Tests of the wrapped strategies, with their bases as references, paired by seed.

    Raises
    ------
    ValueError
        If no pair is given or found, or a strategy is unknown.

    See Also
    --------
    IDMR : Matches the distribution of inputs.
    ODMR : Matches the distribution of labels.

    References
    ----------
    Zhou et al., AISTATS 2021, section 6.5, Fig. 10 and appendix G.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skal import IDMR, Margin, Problem, compare, regularization_gain, split
    >>> sets = split(*load_iris(return_X_y=True), warm_size=6, random_state=0)
    >>> problem = Problem.from_sets(sets, DecisionTreeClassifier(), batch_size=2,
    ...                             n_rounds=4)
    >>> comparison = compare(problem, {"margin": Margin(), "idmr": IDMR(Margin())})
    >>> gain = regularization_gain(comparison)
    >>> gain.strategies, gain.references.tolist(), gain.gains.shape
    (('idmr',), [['margin']], (1, 1, 5))
    """
    check_result(comparison, "comparison", "Comparison")
    pairs = dict(_find_pairs(comparison)) if pairs is None else pairs
    for name in (*pairs.keys(), *pairs.values()):
        check_known(name, comparison.strategies, "strategy")
    if not pairs:
        raise ValueError(
            "The comparison has no strategy together with its base: add, for example, "
            "IDMR(Margin()) and Margin(), or name them in `pairs`."
        )
    return comparison.test_pairs(pairs.items())


def _find_pairs(comparison: Comparison) -> Iterator[tuple[str, str]]:
    described = {describe(one): name for name, one in comparison.strategies.items()}
    for name, strategy in comparison.strategies.items():
        base = described.get(describe(getattr(strategy, "strategy", None)))
        if base is not None:
            yield name, base
