"""Regularization gain: what distribution matching adds to a strategy."""

from collections.abc import Iterator, Mapping

from skal.identity._fingerprint import describe
from skal.studies._comparison import Comparison, check_known
from skal.studies._paired import PairedTests


def regularization_gain(
    comparison: Comparison, pairs: Mapping[str, str] | None = None
) -> PairedTests:
    """Test strategies that follow another one against that one, paired by seed.

    Parameters
    ----------
    comparison : Comparison
        With strategies such as `IDMR(MaxEntropy())`, and what they follow.
    pairs : dict of str to str, default=None
        The name of each wrapped strategy, and that of its base. By default every `IDMR`
        and `ODMR` whose strategy is in the comparison too, with the same parameters.

    Returns
    -------
    PairedTests
        Its references are the bases.

    Raises
    ------
    ValueError
        If there is no such pair, or no strategy of a name.

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
    pairs = dict(_find_pairs(comparison)) if pairs is None else pairs
    for name in (*pairs.keys(), *pairs.values()):
        check_known(name, comparison.strategies, "strategy")
    if not pairs:
        raise ValueError(
            "No strategy follows another one of the comparison: add one, such as "
            "IDMR(Margin()) beside Margin(), or name them in `pairs`."
        )
    return comparison.test_pairs(pairs.items())


def _find_pairs(comparison: Comparison) -> Iterator[tuple[str, str]]:
    described = {describe(one): name for name, one in comparison.strategies.items()}
    for name, strategy in comparison.strategies.items():
        base = described.get(describe(getattr(strategy, "strategy", None)))
        if base is not None:
            yield name, base
