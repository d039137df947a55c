"""Seed transfer: whether an order is good, or good for its own seed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal.studies._comparison import Comparison
from skal.studies._paired import PairedTests
from skal.studies._replays import Replay, replay
from skal.studies._statistics import jackknife_pairs
from skal.studies._transfer import Transfer


@dataclass(frozen=True, eq=False)
class SeedTransfer(Transfer):
    """Orders that were found under each seed, followed under all the others.

    Parameters
    ----------
    comparison : Comparison
        Where the orders come from.
    strategies : tuple of str
        Whose orders were followed.
    curves, validation_curves : ndarray of shape \
            (n_estimators, n_strategies, n_seeds, n_seeds, n_rounds + 1)
        Scores on test and validation. The first axis of seeds is that of the source,
        the second that of the target, xi. (Fig. 4 has the target in rows.)
    """

    @property
    def own_qualities(self) -> NDArray[np.float64]:
        """Of orders under the seed they are from: (n_estimators, n_strategies, n)."""
        return np.diagonal(self.qualities, axis1=2, axis2=3)

    @property
    def foreign_qualities(self) -> NDArray[np.float64]:
        """Mean of all others under each target: (n_estimators, n_strategies, n)."""
        n = len(self.comparison.seeds)
        return (self.qualities.sum(axis=2) - self.own_qualities) / (n - 1)

    @property
    def gaps(self) -> NDArray[np.float64]:
        """What each order is better than the target's own: the shape of `qualities`."""
        return self.qualities - self.own_qualities[:, :, None]

    def against_own(self) -> PairedTests:
        """Test orders of other seeds against those of the seeds themselves.

        Returns
        -------
        PairedTests
            Its `qualities` are pseudo-values, one per seed (see Notes).

        Notes
        -----
        Targets share the orders of their sources: not their means are tested, but
        pseudo-values, as `jackknife_pairs` has them. Two seeds are one pair, which
        gives a gain and no p-value.
        """
        return self._test("own seed", self.own_qualities)

    def against_baseline(self) -> PairedTests:
        """Test orders of other seeds against the baseline.

        Returns
        -------
        PairedTests
            As `against_own` has it.

        Raises
        ------
        ValueError
            If the comparison has no baseline.
        """
        low = self._need_baseline()[:, None]
        reference = np.broadcast_to(low, self.own_qualities.shape)
        return self._test(str(self.comparison.baseline), reference)

    def _test(self, name: str, reference: NDArray[np.float64]) -> PairedTests:
        return PairedTests(
            tuple(self.comparison.estimators),
            self.strategies,
            np.full(reference.shape[:2], name),
            self.comparison.seeds,
            self._pseudo_qualities(reference),
            reference,
        )

    def _pseudo_qualities(self, reference: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the pseudo-values of the mean over pairs, one per seed."""
        if len(self.comparison.seeds) > 2:
            return jackknife_pairs(self.qualities)
        gains = self.foreign_qualities - reference
        return reference + gains.mean(axis=-1, keepdims=True)

    def table(self) -> dict[str, NDArray]:
        """Return one row per estimator, strategy, both seeds and round, as columns.

        Returns
        -------
        dict of str to ndarray
            "estimator", "strategy", "source_seed", "seed", "round", "n_labelled",
            "score" (on test) and "validation_score". `pandas.DataFrame` takes it.
        """
        return self._table(
            estimator=list(self.comparison.estimators),
            strategy=self.strategies,
            source_seed=self.comparison.seeds,
            seed=self.comparison.seeds,
        )

    def __str__(self) -> str:
        parts = [f"Orders of other seeds against own ones\n{self.against_own()}"]
        if self.baseline_qualities is not None:
            tests = self.against_baseline()
            parts.append(f"Orders of other seeds against the baseline\n{tests}")
        return "\n\n".join(parts)


def seed_transfer(
    comparison: Comparison,
    *,
    strategies: Iterable[str] | None = None,
    n_jobs: int | None = None,
    path: Any = None,
    callbacks: Iterable[Any] = (),
) -> SeedTransfer:
    """Follow the orders found under each seed under all other seeds.

    How much worse they are there than the orders found under these seeds themselves
    tells how much of their quality belongs to the seed. Nothing is searched again.

    Parameters
    ----------
    comparison : Comparison
        With two seeds or more.
    strategies : iterable of str, default=None
        Whose orders to follow; all but the baseline by default.
    n_jobs : int or None, default=None
        Replays side by side. It does not change the result.
    path : str or path-like, default=None
        A folder to keep the study in, as in `compare`; it may be the same one.
    callbacks : iterable of callback, default=()
        What shows the progress, such as `skal.utils.progress.ProgressBar()`.

    Returns
    -------
    SeedTransfer

    Raises
    ------
    ValueError
        If there is a single seed, or no strategy of a name, or `path` is the folder of
        another study.

    See Also
    --------
    evaluate_order : Follow one order under several seeds.

    Notes
    -----
    The plain estimators are trained, also where a strategy sampled the posterior of
    another one.

    References
    ----------
    Zhou et al., AISTATS 2021, section 6.2 and Fig. 4.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skal import AnnealingOracle, Problem, Random, compare, seed_transfer, split
    >>> sets = split(*load_iris(return_X_y=True), warm_size=6, random_state=0)
    >>> problem = Problem.from_sets(sets, DecisionTreeClassifier(), batch_size=2,
    ...                             n_rounds=4)
    >>> comparison = compare(problem, {"random": Random(),
    ...                                "oracle": AnnealingOracle(n_steps=50)})
    >>> transfer = seed_transfer(comparison)
    >>> transfer.qualities.shape  # estimators, strategies, sources, targets
    (1, 1, 5, 5)
    >>> bool(transfer.against_own().gains.mean() < 0)
    True
    """
    chosen = comparison.choose(strategies)
    if len(comparison.seeds) < 2:
        raise ValueError(
            "seed_transfer needs two seeds or more, got 1: compare more seeds."
        )
    _ = comparison.problem  # one pool for all seeds, or an error
    replays = [
        Replay(strategy, estimator, source, estimator, seed)
        for estimator in comparison.estimators
        for strategy in chosen
        for source in comparison.seeds
        for seed in comparison.seeds
    ]
    found = replay(comparison, replays, n_jobs=n_jobs, path=path, callbacks=callbacks)
    n, shape = len(comparison.seeds), (len(comparison.estimators), len(chosen))
    curves = (array.reshape(*shape, n, n, -1) for array in found)
    return SeedTransfer(comparison, chosen, *curves)
