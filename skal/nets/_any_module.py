"""Mixin for nets that train any torch module of the user."""

import numpy as np
import torch
from sklearn.utils.validation import validate_data

from skal.nets._modules import MLP, check_complete, check_module, data_params, defaults

# Modules that `load` can find by the name stored in a file. Any other module must be
# passed to `load`, so that the content of a file never causes an import.
_NAMED = {"skal.nets.MLP": MLP}


_PREFIX = "module__"


class AnyModule:
    """Mixin for nets with the parameters `module` and `module_params`."""

    # Further arguments of scikit-learn's `validate_data`, in `fit`.
    _checks_of_fit: dict = {}

    def get_params(self, deep=True):
        """Return the parameters.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the parameters of the module, as `module__name`.

        Returns
        -------
        dict
            Parameter names mapped to their values.
        """
        params = super().get_params(deep=deep)
        if not deep:
            return params
        given = self.module_params if isinstance(self.module_params, dict) else {}
        inner = defaults(self.module) | given
        return params | {_PREFIX + name: value for name, value in inner.items()}

    def set_params(self, **params):
        """Set parameters; prefix the parameters of the module with `module__`.

        Parameters
        ----------
        **params : dict
            Parameter names and their new values.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            If a parameter does not exist. The message suggests a similar name.
        """
        inner = {
            name.removeprefix(_PREFIX): value
            for name, value in params.items()
            if name.startswith(_PREFIX)
        }
        super().set_params(
            **{name: v for name, v in params.items() if not name.startswith(_PREFIX)}
        )
        if inner:
            check_module(self.module, inner)
            # A new dict, because the old one was passed by the caller.
            self.module_params = (self.module_params or {}) | inner
        return self

    def _check_params_of_module(self):
        check_module(self.module, self.module_params or {})
        check_complete(self.module, self.module_params or {})

    def _check_module(self, X):
        try:
            super()._check_module(X)
        except (RuntimeError, TypeError, IndexError) as error:
            if isinstance(error, torch.OutOfMemoryError):
                raise
            raise ValueError(
                f"{self.module.__name__} fails on {len(X[:2])} rows of shape "
                f"{self.input_shape_} ({error}): make its layers fit rows of this "
                "shape, which its constructor can take as `input_shape`."
            ) from error

    def _build_stack(self, X, y, classes, width):
        self._check_params_of_module()
        return super()._build_stack(X, y, classes, width)

    def _check_rows(self, X, y="no_validation", *, reset):
        # A value too large for float32 becomes infinite, which validate_data rejects.
        with np.errstate(over="ignore"):
            checked = validate_data(
                self,
                X,
                y,
                reset=reset,
                dtype=np.float32,
                allow_nd=True,
                order="C",
                **(self._checks_of_fit if reset else {}),
            )
        if not reset and checked.shape[1:] != self.input_shape_:
            raise ValueError(
                f"Rows of X have shape {checked.shape[1:]}, but the rows passed to fit "
                f"had {self.input_shape_}: pass rows of that shape."
            )
        return checked

    def _module_and_params(self):
        facts = data_params(self.module, self._n_outputs, self.input_shape_)
        return self.module, {**(self.module_params or {}), **facts}

    def _stored_params(self):
        names = {module: name for name, module in _NAMED.items()}
        name = names.get(self.module, self.module.__qualname__)
        return super()._stored_params() | {"module": name}

    @classmethod
    def _restored_params(cls, params):
        module = params["module"]
        if isinstance(module, str):
            if module not in _NAMED:
                raise ValueError(
                    f"The file holds the weights of {module}, which is not one of "
                    f"skal's: pass its class, as in load(path, module={module})."
                )
            params = params | {"module": _NAMED[module]}
        return params
