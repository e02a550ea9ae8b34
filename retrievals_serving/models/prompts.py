"""Prompts of the Qwen3-VL family, as token ids: the checkpoint's own template and tokenizer.

The published embedder's tokenizer ends each prompt with `<|endoftext|>`, and the state of that
token is the embedding. A prompt written by hand loses it, and nothing fails but the search.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np

from retrievals_serving.errors import ModelError
from retrievals_serving.models.checkpoints import Checkpoint

PREPARATION = "special tokens blanked, 8192 tokens"
# The reference cuts whole prompts at this length, and with it the end of the template. Here the
# text is cut before it enters the template, so that the tokens after it are always there.
MAX_TEXT_TOKENS = 8192


class Prompts:
    """Makes token ids of instructions, texts and places for pictures."""

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

    def encode(
        self, messages: list[dict[str, Any]], visual_tokens: Sequence[int] = ()
    ) -> np.ndarray:
        """Return the ids of a conversation with the generation prompt, int64, shape (length,).

        `visual_tokens` is how many each of the pictures in it takes, in their order.
        """
        prompt = self._tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=False
        )
        ids = np.array(self._tokenizer(prompt)["input_ids"], dtype=np.int64)
        repeats = np.ones_like(ids)
        repeats[ids == self._image_token] = visual_tokens
        return np.repeat(ids, repeats)

    def is_visual(self, ids: np.ndarray) -> np.ndarray:
        """Return 1 where an id stands for a part of a picture, else 0; int64, shape of `ids`."""
        return np.asarray(ids == self._image_token, dtype=np.int64)

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


def punctuated(instruction: str) -> str:
    """Return the instruction stripped, with a full stop unless it ends in punctuation."""
    instruction = instruction.strip()
    ends_well = not instruction or unicodedata.category(instruction[-1]).startswith("P")
    return instruction if ends_well else f"{instruction}."
