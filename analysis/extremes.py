"""Return levels: how great the greatest of a year is once in so many years, by the generalised
extreme value distribution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from data.arrays import Floats

LEAST_YEARS: Final = 10
RETURN_YEARS: Final = (2, 5, 10, 20, 50, 100)
SAMPLES: Final = 1000
_SEED: Final = 20_260_101  # the same interval each time
_GUMBEL: Final = 1e-6  # a shape nearer to 0 is that of Gumbel
_EULER: Final = 0.5772156649015329


@dataclass(frozen=True)
class ReturnLevel:
    """The level that is reached once in ``years`` on average, and its interval of 90 %."""

    years: int
    level: float
    low: float
    high: float


@dataclass(frozen=True)
class Gev:
    """Location, scale and shape in Hosking's sign: a negative shape has the heavy upper tail."""

    location: float
    scale: float
    shape: float

    def quantile(self, probability: npt.ArrayLike) -> Floats:
        """Return the values that are not exceeded with some probabilities, 0 < p < 1."""
        reduced = -np.log(-np.log(np.asarray(probability, np.float64)))
        if abs(self.shape) < _GUMBEL:
            return np.asarray(self.location + self.scale * reduced)
        return np.asarray(self.location + self.scale * -np.expm1(-self.shape * reduced) / self.shape)


def l_moments(values: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the first two L-moments and the L-skewness of samples, f8[..., n] sorted along the
    last axis.

    Unbiased, by probability-weighted moments: Hosking & Wallis (1997), 2.4.
    """
    n = values.shape[-1]
    rank = np.arange(n)
    b0 = values.mean(axis=-1)
    b1 = (values * (rank / (n - 1))).mean(axis=-1)
    b2 = (values * (rank * (rank - 1) / ((n - 1) * (n - 2)))).mean(axis=-1)
    second = 2 * b1 - b0
    with np.errstate(divide="ignore", invalid="ignore"):
        skewness = (6 * b2 - 6 * b1 + b0) / second
    return b0, second, skewness


def fit(maxima: Floats) -> Gev | None:
    """Fit a GEV to yearly maxima by L-moments; None where they are all alike.

    Hosking & Wallis (1997), A.7; the shape by the approximation of Hosking, Wallis & Wood (1985).
    """
    mean, second, skewness = (float(each) for each in l_moments(np.sort(maxima)))
    if not second > 0:
        return None
    c = 2 / (3 + skewness) - math.log(2) / math.log(3)
    shape = 7.8590 * c + 2.9554 * c * c
    if abs(shape) < _GUMBEL:
        scale = second / math.log(2)
        return Gev(mean - _EULER * scale, scale, 0.0)
    gamma = math.gamma(1 + shape)
    scale = second * shape / ((1 - 2.0**-shape) * gamma)
    return Gev(mean - scale * (1 - gamma) / shape, scale, shape)


def return_levels(maxima: Floats) -> tuple[ReturnLevel, ...]:
    """Return the levels of :data:`RETURN_YEARS`, none where the maxima are all alike.

    The interval comes of refitting :data:`SAMPLES` samples that are drawn from the fitted
    distribution.
    """
    found = fit(maxima)
    if found is None:
        return ()
    probability = 1 - 1 / np.array(RETURN_YEARS)
    draws = np.random.default_rng(_SEED).uniform(size=(SAMPLES, len(maxima)))
    refitted = [again.quantile(probability) for sample in found.quantile(draws) if (again := fit(sample)) is not None]
    low, high = np.quantile(np.array(refitted), [0.05, 0.95], axis=0)
    levels = zip(RETURN_YEARS, found.quantile(probability).tolist(), low.tolist(), high.tolist(), strict=True)
    return tuple(ReturnLevel(*level) for level in levels)
