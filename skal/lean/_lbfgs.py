"""L-BFGS as scipy runs it, without what surrounds the compiled code."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, minimize

try:
    # The only private names of scipy in skal. Before scipy 1.15 the solver was another,
    # and a later release may change its arguments: `minimize` then does the same.
    from scipy.optimize._lbfgsb_py import _lbfgsb, status_messages, task_messages
except ImportError:
    _lbfgsb = None

# Codes of the compiled solver: what it asks for, and how it ended.
NEW_ITERATION, NEEDS_VALUE, CONVERGED, STOP = 1, 3, 4, 5
TOO_MANY_CALLS, TOO_MANY_ITERATIONS = 502, 504

Objective = Callable[[NDArray[np.float64]], tuple[float, NDArray]]


def lbfgs(
    objective: Objective,
    start: NDArray,
    *,
    max_iter: int,
    gtol: float,
    ftol: float,
    n_corrections: int = 10,
    max_line_search: int = 50,
    max_calls: int = 15_000,
) -> Any:
    """Minimise a function, with the same bits as `scipy.optimize.minimize`.

    Parameters
    ----------
    objective : callable
        `objective(x)` returns the value and the gradient at `x`. It must not keep `x`,
        and may write the next gradient into the same array.
    start : ndarray of shape (n,), dtype float64 or float32
        Where to start. The function is called with arrays of the same type.
    max_iter : int
        Largest number of iterations.
    gtol, ftol : float
        Tolerances of the gradient, and of the relative change of the value.
    n_corrections, max_line_search, max_calls : int
        As `maxcor`, `maxls` and `maxfun` of scipy.

    Returns
    -------
    OptimizeResult
        With `x`, `nit`, `status` and `message`.
    """
    options = {
        "maxiter": max_iter,
        "gtol": gtol,
        "ftol": ftol,
        "maxcor": n_corrections,
        "maxls": max_line_search,
        "maxfun": max_calls,
    }
    if _lbfgsb is None:

        def kept(x: NDArray) -> tuple[float, NDArray]:
            value, gradient = objective(x)
            return value, gradient.copy()

        return minimize(kept, start, jac=True, method="L-BFGS-B", options=options)
    return _lbfgs(objective, start, options)


def _lbfgs(objective: Objective, start: NDArray, options: dict[str, Any]) -> Any:
    """Run the compiled solver, which asks for values until it is done."""
    n, m = len(start), options["maxcor"]
    factor = options["ftol"] / np.finfo(float).eps
    x = np.array(start, dtype=np.float64)
    value: Any = np.array(0.0)
    gradient = np.zeros(n)
    bounds = np.zeros(n), np.zeros(n), np.zeros(n, dtype=np.int32)  # none
    work = np.zeros(2 * m * n + 5 * n + 11 * m * m + 8 * m)
    task, line_task = np.zeros((2, 2), dtype=np.int32)
    integers = np.zeros(3 * n, np.int32), np.zeros(4, np.int32), np.zeros(44, np.int32)
    reals = np.zeros(29)
    n_calls = n_iterations = 0
    while True:
        _lbfgsb.setulb(
            *(m, x, *bounds, value, gradient, factor, options["gtol"], work),
            *(integers[0], task, *integers[1:], reals, options["maxls"], line_task),
        )
        if task[0] == NEEDS_VALUE:
            value, gradient = objective(x.astype(start.dtype, copy=False))
            gradient = gradient.astype(np.float64, copy=False)
            n_calls += 1
        elif task[0] == NEW_ITERATION:
            n_iterations += 1
            if n_iterations >= options["maxiter"]:
                task[:] = STOP, TOO_MANY_ITERATIONS
            elif n_calls > options["maxfun"]:
                task[:] = STOP, TOO_MANY_CALLS
        else:
            break
    is_over = n_calls > options["maxfun"] or n_iterations >= options["maxiter"]
    return OptimizeResult(
        x=x,
        nit=n_iterations,
        status=0 if task[0] == CONVERGED else 1 if is_over else 2,
        message=f"{status_messages[task[0]]}: {task_messages[task[1]]}",
    )
