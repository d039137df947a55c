"""A learner as a meta-estimator of scikit-learn: its tags, routing and diagram."""

from copy import deepcopy

from sklearn.base import MetaEstimatorMixin, is_regressor
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping

from skal._sklearn import _VisualBlock


class LearnerMixin(MetaEstimatorMixin):
    """Makes an estimator with a strategy a meta-estimator of scikit-learn.

    The class that is mixed in has parameters `estimator` and `strategy`, and sets the
    attributes `estimator_` and `strategy_` in `fit`.
    """

    def get_metadata_routing(self):
        """Return how metadata is routed: from `fit` to the estimator's `fit`.

        Returns
        -------
        MetadataRouter
            The routing of the learner and its estimator.
        """
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                estimator=self.estimator,
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        kind = "regressor" if is_regressor(self.estimator) else "classifier"
        tags.target_tags = deepcopy(inner.target_tags)
        tags.estimator_type, tags.target_tags.required = kind, True
        tags.classifier_tags = deepcopy(inner.classifier_tags)
        tags.regressor_tags = deepcopy(inner.regressor_tags)
        tags.input_tags = deepcopy(inner.input_tags)
        return tags

    def _sk_visual_block_(self):
        is_fitted = hasattr(self, "estimator_")
        parts = {
            "estimator": self.estimator_ if is_fitted else self.estimator,
            "strategy": self.strategy_ if is_fitted else self.strategy,
        }
        return _VisualBlock(
            "parallel",
            list(parts.values()),
            names=[f"{name}: {type(part).__name__}" for name, part in parts.items()],
            name_details=[str(part) for part in parts.values()],
        )
