"""Information measures of predictive distributions, as pure functions of arrays.

The names of arrays end in their shape: N rows, B rows of a batch, T posterior samples
or members of an ensemble, C classes, J target rows, M joint outcomes of the labels of
several rows. All measures are in nats.
"""

from skal.information._batchbald import batchbald, joint_entropy
from skal.information._epig import epig
from skal.information._measures import (
    entropy,
    kl_to_consensus,
    mutual_information,
    variation_ratio,
    vote_entropy,
)

__all__ = [
    "batchbald",
    "entropy",
    "epig",
    "joint_entropy",
    "kl_to_consensus",
    "mutual_information",
    "variation_ratio",
    "vote_entropy",
]
