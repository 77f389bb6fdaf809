"""Chooses a token from a model's logits."""

import torch

from refiner.decoding.vocabulary import AllowedTokens


class Sampler:
    """Takes the likeliest token, or at ``temperature`` > 0 draws one with ``seed``."""

    def __init__(self, temperature: float, seed: int | None) -> None:
        self._temperature = temperature
        self._random = torch.Generator()
        if seed is None:
            self._random.seed()
        else:
            self._random.manual_seed(seed)

    def prepare(self, logits: torch.Tensor) -> tuple[list[int | None], torch.Tensor]:
        """The likeliest token of each row of ``logits`` (rows, vocabulary), and the rows.

        The token is None where one must be drawn. Drawing happens on the CPU. Waits for the device, so that times are
        true.
        """
        if self._temperature > 0:
            return [None] * len(logits), logits.float().cpu()
        return logits.argmax(dim=-1).tolist(), logits

    def choose(self, likeliest: int | None, logits: torch.Tensor, allowed: AllowedTokens | None) -> int:
        """The likeliest token where that is allowed, else one sampled from those that are."""
        if likeliest is not None:
            if allowed is None or (allowed.mask is None and likeliest in allowed.tokens):
                return likeliest
            if allowed.mask is not None and allowed.mask[likeliest]:
                return likeliest
        return self.sample(logits.float().cpu(), allowed)

    def sample(self, logits: torch.Tensor, allowed: AllowedTokens | None) -> int:
        """A token id. ``logits`` are float32 of shape (vocabulary,), on the CPU."""
        if allowed is not None and allowed.mask is None:
            return allowed.tokens[self._index(logits[torch.tensor(allowed.tokens)])]
        if allowed is not None:
            logits = logits.masked_fill(~torch.from_numpy(allowed.mask), -torch.inf)
        return self._index(logits)

    def _index(self, logits: torch.Tensor) -> int:
        if self._temperature <= 0:
            return int(logits.argmax())
        probabilities = torch.softmax(logits / self._temperature, dim=-1)
        return int(torch.multinomial(probabilities, 1, generator=self._random))
