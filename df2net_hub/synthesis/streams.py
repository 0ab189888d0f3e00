"""Random numbers by purpose: leaving one thing out does not change the draws of any other."""

from dataclasses import dataclass
from zlib import crc32

import numpy as np


@dataclass(frozen=True)
class Streams:
    """Generators of one picture of a set.

    Attributes:
        seed: of the set. shape: number of the person. index: number of the picture.
        attempt: counts the tries at a picture that shows enough of the face.
    """

    seed: int
    shape: int
    index: int
    attempt: int = 0

    def person(self, purpose: str) -> np.random.Generator:
        """A generator that is the same in all pictures of the person."""
        return np.random.default_rng([self.seed, self.shape, crc32(purpose.encode())])

    def picture(self, purpose: str) -> np.random.Generator:
        """A generator of this try at this picture alone."""
        name = crc32(purpose.encode())
        return np.random.default_rng([self.seed, self.index, self.attempt, name])
