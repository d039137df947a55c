"""Model transfer: whether an order is good for other estimators too."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal.studies._comparison import Comparison
from skal.studies._paired import PairedTests
from skal.studies._replays import Replay, replay
from skal.studies._text import lay_out
from skal.studies._transfer import Transfer


@dataclass(frozen=True, eq=False)
class ModelTransfer(Transfer):
    """Orders that were found with each estimator, followed with all of them.

    Parameters
    ----------
    comparison : Comparison
        Where the orders come from.
    strategies : tuple of str
        Whose orders were followed.
    curves, validation_curves : ndarray of shape \
            (n_strategies, n_estimators, n_estimators, n_seeds, n_rounds + 1)
        Scores on test and validation. The first axis of estimators is that of the
        source, the second that of the target.
    """

    @property
    def over_baseline(self) -> NDArray[np.float64]:
        """What each is better than the baseline of the target: as `qualities`.

        NaN where the comparison has no baseline.
        """
        low = self.baseline_qualities
        return self.qualities - (np.nan if low is None else low)

    def against_baseline(self) -> PairedTests:
        """Test each order against the baseline with the same target, by seed.

        Returns
        -------
        PairedTests
            Its estimators are the targets; its strategies name strategy and source.

        Raises
        ------
        ValueError
            If the comparison has no baseline.
        """
        low = self._need_baseline()[:, None]
        targets = tuple(self.comparison.estimators)
        names = [f"{s}, {source} order" for s in self.strategies for source in targets]
        # (strategy, source, target, seed) to (target, strategy and source, seed)
        flat = self.qualities.reshape(len(names), len(targets), -1).swapaxes(0, 1)
        return PairedTests(
            targets,
            tuple(names),
            np.full(flat.shape[:2], str(self.comparison.baseline)),
            self.comparison.seeds,
            flat,
            np.broadcast_to(low, flat.shape),
            self.comparison.splits.overlap,
        )

    def table(self) -> dict[str, NDArray]:
        """Return one row per strategy, both estimators, seed and round, as columns.

        Returns
        -------
        dict of str to ndarray
            "strategy", "source_estimator", "estimator", "seed", "round", "n_labelled",
            "score" (on test) and "validation_score". `pandas.DataFrame` takes it.
        """
        estimators = list(self.comparison.estimators)
        return self._table(
            strategy=self.strategies,
            source_estimator=estimators,
            estimator=estimators,
            seed=self.comparison.seeds,
        )

    def __str__(self) -> str:
        parts = [self._matrix(i) for i in range(len(self.strategies))]
        return "\n\n".join([*parts, f"Means over {len(self.comparison.seeds)} seeds."])

    def _matrix(self, i: int) -> str:
        """Lay out the qualities of one strategy by source, and the baseline."""
        means, names = self.qualities[i].mean(axis=-1), list(self.comparison.estimators)
        rows = [f"{name} order" for name in names]
        if self.baseline_qualities is not None:
            means = np.vstack([means, self.baseline_qualities.mean(axis=-1)])
            rows.append(str(self.comparison.baseline))
        columns = {self.strategies[i]: rows} | {
            f"with {name}": column for name, column in zip(names, means.T, strict=True)
        }
        return lay_out(columns)


def model_transfer(
    comparison: Comparison,
    *,
    strategies: Iterable[str] | None = None,
    n_jobs: int | None = None,
    path: Any = None,
    callbacks: Iterable[Any] = (),
) -> ModelTransfer:
    """Follow the orders found with each estimator with all other estimators.

    An order that is good for other estimators too labels what is valuable in general.
    Each is followed under the seed that it was found with. Nothing is searched again.

    Parameters
    ----------
    comparison : Comparison
        With two estimators or more.
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
    ModelTransfer

    Raises
    ------
    ValueError
        If there is a single estimator, or no strategy of a name, or `path` is the
        folder of another study.

    Notes
    -----
    The plain estimators are trained, also where a strategy sampled the posterior of
    another one.

    References
    ----------
    Zhou et al., AISTATS 2021, section 6.3 and Fig. 5.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skal import Margin, Random, compare, model_transfer
    >>> X, y = load_iris(return_X_y=True)
    >>> estimators = {"bayes": GaussianNB(), "tree": DecisionTreeClassifier()}
    >>> comparison = compare(X, y, estimators, {"random": Random(), "margin": Margin()},
    ...                      batch_size=2, n_rounds=4, warm_size=6)
    >>> transfer = model_transfer(comparison)
    >>> transfer.qualities.shape  # strategies, sources, targets, seeds
    (1, 2, 2, 5)
    """
    chosen = comparison.choose(strategies)
    n_estimators, n_seeds = len(comparison.estimators), len(comparison.seeds)
    if n_estimators < 2:
        raise ValueError(
            "Orders of one estimator have no other to go to: compare more estimators."
        )
    replays = [
        Replay(strategy, source, seed, target, seed)
        for strategy in chosen
        for source in comparison.estimators
        for target in comparison.estimators
        for seed in comparison.seeds
    ]
    found = replay(comparison, replays, n_jobs=n_jobs, path=path, callbacks=callbacks)
    shape = len(chosen), n_estimators, n_estimators, n_seeds, -1
    return ModelTransfer(comparison, chosen, *(array.reshape(shape) for array in found))
