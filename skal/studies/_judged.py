"""The verdict and the printed form of a comparison."""

from typing import Any

from skal.studies._exports import Exports, Part
from skal.studies._summary import parts_of, summary_columns
from skal.studies._verdict import Verdict, judge


class Judged(Exports):
    """The part of a comparison that says what it shows."""

    def verdict(self, **options: Any) -> Verdict:
        """Return whether a strategy is better than random choice, and by how much.

        Parameters
        ----------
        **options : dict
            `estimator`, to choose one of several; `strategy`, if it was chosen before
            the comparison; `target`, the score to reach with fewer labels; and `level`
            of the intervals.

        Returns
        -------
        Verdict

        Raises
        ------
        ValueError
            If there is no baseline or no strategy, or an option is invalid.

        See Also
        --------
        worth_it : Run a comparison, and return its verdict.
        """
        return judge(self, **options)

    def _main(self) -> dict[str, Any]:
        return summary_columns(self)

    def _parts(self) -> list[Part]:
        return parts_of(self)
