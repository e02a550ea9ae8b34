"""Prompts of the Qwen3-VL family, as token ids: the checkpoint's own template and tokenizer.

The published embedder's tokenizer ends each prompt with `<|endoftext|>`, and the state of that
token is the embedding. A prompt written by hand loses it, and nothing fails but the search.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from retrievals_serving.errors import ModelError
from retrievals_serving.models.checkpoints import Checkpoint
from retrievals_serving.models.qwen3_vl.pixels import Grid

PREPARATION = "special tokens blanked, 8192 tokens"
# The reference cuts whole prompts at this length, and with it the end of the template. Here the
# text is cut before it enters the template, so that the tokens after it are always there.
MAX_TEXT_TOKENS = 8192
# Prompts kept: pictures of one size share theirs. 26 kB each at 768 visual tokens.
KEPT = 512


@dataclass(frozen=True)
class Prompt:
    """A prompt, or a part of one."""

    ids: np.ndarray  # int64, (tokens,)
    positions: np.ndarray  # int64, (tokens, 3): time, height, width
    is_visual: np.ndarray  # bool, (tokens,)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, part: slice) -> "Prompt":
        return Prompt(self.ids[part], self.positions[part], self.is_visual[part])


class Prompts:
    """Makes prompts of a system message and a user's message. Safe to use from several threads."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        from transformers import PreTrainedTokenizerFast

        # The file as it is, so that its hash in the contract says all. AutoTokenizer puts the
        # normalizer and the splitting rules of Qwen2Tokenizer in place of the file's.
        self._tokenizer = PreTrainedTokenizerFast(
            tokenizer_file=str(checkpoint.folder / "tokenizer.json"),
            chat_template=checkpoint.chat_template,
        )
        self._name = checkpoint.name
        self._image_token = int(checkpoint.config["image_token_id"])
        special = (t.content for t in self._tokenizer.added_tokens_decoder.values() if t.special)
        self._special = re.compile("|".join(map(re.escape, special)))
        self.encode = lru_cache(KEPT)(self._encode)

    def _encode(self, system: str, *content: str | Grid) -> Prompt:
        """Return the conversation with the generation prompt."""
        parts = [
            {"type": "text", "text": part} if isinstance(part, str) else {"type": "image"}
            for part in content
        ]
        messages = [
            {"role": "system", "content": [{"type": "text", "text": system}]},
            {"role": "user", "content": parts},
        ]
        text = self._tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=False
        )
        ids = np.array(self._tokenizer(text)["input_ids"], dtype=np.int64)
        grids = [part for part in content if isinstance(part, Grid)]
        repeats = np.ones_like(ids)
        repeats[ids == self._image_token] = [grid.tokens for grid in grids]
        places = np.flatnonzero(ids == self._image_token)
        ids = np.repeat(ids, repeats)
        return Prompt(
            ids, positions_of(len(repeats), places.tolist(), grids), ids == self._image_token
        )

    def require_appended_token(self) -> None:
        """Refuse a checkpoint whose tokenizer ends no prompt with a token of its own.

        It is the state of that token that embedders are trained to be read at. Those of rerankers
        and chat models append none, and nothing else would show that one is taken for an embedder.

        Raises:
            ModelError: It appends none.
        """
        if not self._tokenizer("")["input_ids"]:
            raise ModelError(
                f"checkpoint {self._name} is no embedder: its tokenizer ends no prompt with a "
                "token to read, as those of rerankers and chat models. Choose one as "
                "Qwen/Qwen3-VL-Embedding-2B."
            )

    def token_id(self, word: str) -> int:
        """Return the id of a token that is a whole word.

        Raises:
            ModelError: The tokenizer does not have it.
        """
        vocabulary = self._tokenizer.get_vocab()
        if word not in vocabulary:
            raise ModelError(
                f"checkpoint {self._name} has no token {word!r} in its tokenizer.json: "
                "choose a checkpoint of a Qwen3-VL model."
            )
        return int(vocabulary[word])

    def clean(self, text: str) -> str:
        """Return a text from outside as it may enter a prompt: no special tokens, not too long."""
        text = text.encode(errors="replace").decode()  # the tokenizer refuses lone surrogates
        text = self._special.sub(" ", text)
        tokens = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        offsets = tokens["offset_mapping"]
        return text if len(offsets) <= MAX_TEXT_TOKENS else text[: offsets[MAX_TEXT_TOKENS][0]]


def positions_of(tokens: int, places: Sequence[int], grids: Sequence[Grid]) -> np.ndarray:
    """Return the positions of a prompt's tokens on the three axes of the rotation.

    Texts advance on all axes. A picture stands at one time, its tokens at their rows and columns
    from there, and what follows continues behind its longer side. (Qwen2-VL report, section 2.1.)

    Args:
        tokens: Of the prompt, with one for each picture.
        places: Which of them are the pictures.
        grids: The pictures.

    Returns:
        int64, (tokens with pictures expanded, 3).
    """
    pieces, position, begin = [], 0, 0
    for place, grid in zip([*places, tokens], [*grids, None], strict=True):
        texts = np.arange(position, position + place - begin)
        pieces.append(np.repeat(texts[:, None], 3, axis=1))
        position, begin = position + place - begin, place + 1
        if grid is not None:
            rows, columns = np.indices(grid).reshape(2, -1)
            pieces.append(position + np.stack([np.zeros_like(rows), rows, columns], axis=1))
            position += max(grid)
    return np.concatenate(pieces)


def punctuated(instruction: str) -> str:
    """Return the instruction stripped, with a full stop unless it ends in punctuation."""
    instruction = instruction.strip()
    ends_well = not instruction or unicodedata.category(instruction[-1]).startswith("P")
    return instruction if ends_well else f"{instruction}."
