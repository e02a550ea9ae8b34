"""What ours is measured against: the models run in the manner of their reference code.

QwenLM/Qwen3-VL-Embedding: one thread decodes, prepares and runs the forward, one after the other;
pictures in batches of a fixed number as they come, pairs one at a time. On transformers' own
classes, at their best: SDPA, inference mode, no cache of keys, no output layer over the vocabulary.
`tests/test_benchmarks.py` holds both to the output of the reference code.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from retrievals_serving.models.qwen3_vl.pixels import MAX_PIXELS, MIN_PIXELS

BATCH = 8
SIDE = 32  # px; one visual token
DOCUMENT = "Represent the user's input."
QUERY = "Retrieve images or text relevant to the user's query."
JUDGE = (
    "Judge whether the Document meets the requirements based on the Query and the Instruct "
    'provided. Note that the answer can only be "yes" or "no".'
)
INSTRUCT = "<Instruct>: Given a search query, retrieve relevant candidates that answer the query."


class Loop:
    """A checkpoint, and all that stands between a conversation and the last hidden states."""

    model_class = "Qwen3VLModel"

    def __init__(
        self, folder: Path, *, device: str, dtype: str, max_pixels: int | None = None
    ) -> None:
        import transformers
        from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import (
            Qwen2VLImageProcessorPil,
        )

        transformers.logging.disable_progress_bar()
        self.device = device
        self.max_pixels = max_pixels or MAX_PIXELS
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        self.processor = Qwen2VLImageProcessorPil.from_pretrained(folder)
        model_class = getattr(transformers, self.model_class)
        self.model = model_class.from_pretrained(
            folder, dtype=getattr(torch, dtype), attn_implementation="sdpa"
        )
        self.model = self.model.to(device).eval()

    def last_states(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        """Return the state of each prompt's last token, shape (prompts, width)."""
        with torch.inference_mode():
            inputs = {name: tensor.to(self.device) for name, tensor in inputs.items()}
            # The body of a model with an output layer, or the model itself.
            body = getattr(self.model, self.model.base_model_prefix, self.model)
            states = body(**inputs, use_cache=False).last_hidden_state
            last = inputs["attention_mask"].sum(1) - 1
            return states[torch.arange(len(states), device=states.device), last].float()

    def prepare(
        self, system: str, contents: Sequence[Sequence[str | Path]]
    ) -> dict[str, torch.Tensor]:
        """Return the model's inputs for users' messages of texts and pictures, padded right."""
        prompts = [self.prompt(system, content) for content in contents]
        paths = [part for content in contents for part in content if isinstance(part, Path)]
        seen = {}
        if paths:
            seen = dict(self.processor([self.open(path) for path in paths], do_resize=False))
            seen = {name: torch.as_tensor(values) for name, values in seen.items()}
            prompts = self.expanded(prompts, seen["image_grid_thw"])
        tokens = self.tokenizer(prompts, padding=True, padding_side="right", return_tensors="pt")
        ids, mask = tokens["input_ids"], tokens["attention_mask"]
        kinds = (ids == self.model.config.image_token_id).long()
        return {"input_ids": ids, "attention_mask": mask, "mm_token_type_ids": kinds} | seen

    def prompt(self, system: str, content: Sequence[str | Path]) -> str:
        """Return a conversation as text, with one place for each picture."""
        parts = [
            {"type": "text", "text": part} if isinstance(part, str) else {"type": "image"}
            for part in content
        ]
        messages = [
            {"role": "system", "content": [{"type": "text", "text": system}]},
            {"role": "user", "content": parts},
        ]
        prompt: str = self.tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=False
        )
        return prompt

    def open(self, path: Path) -> Image.Image:
        """Return the picture as RGB in the size that the model sees."""
        from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

        image = Image.open(path).convert("RGB")
        height, width = smart_resize(image.height, image.width, SIDE, MIN_PIXELS, self.max_pixels)
        return image.resize((width, height))

    def expanded(self, prompts: list[str], grids: torch.Tensor) -> list[str]:
        """Give each picture as many places in its prompt as it has visual tokens."""
        place = self.tokenizer.convert_ids_to_tokens(self.model.config.image_token_id)
        counts = iter((grids.prod(1) // self.processor.merge_size**2).tolist())
        whole = []
        for prompt in prompts:
            first, *others = prompt.split(place)
            whole.append(first + "".join(place * next(counts) + other for other in others))
        return whole


class EmbeddingLoop(Loop):
    """Vectors of pictures, `BATCH` at a time as they come, and of a query."""

    def embed_images(self, paths: Sequence[Path]) -> np.ndarray:
        """Return float32 rows of length 1, shape (len(paths), width)."""
        rows = []
        for start in range(0, len(paths), BATCH):
            inputs = self.prepare(DOCUMENT, [[path] for path in paths[start : start + BATCH]])
            rows.append(self.vectors(inputs))
        return np.concatenate(rows)

    def embed_query(self, text: str) -> np.ndarray:
        """Return a float32 row of length 1, shape (1, width)."""
        return self.vectors(self.prepare(QUERY, [[text]]))

    def vectors(self, inputs: dict[str, torch.Tensor]) -> np.ndarray:
        """Return the last states at length 1."""
        return torch.nn.functional.normalize(self.last_states(inputs), dim=-1).cpu().numpy()


class RerankingLoop(Loop):
    """Scores of pictures for a query, one pair at a time."""

    model_class = "Qwen3VLForConditionalGeneration"

    def score(self, query: str, paths: Sequence[Path]) -> np.ndarray:
        """Return a float32 score from 0 to 1 for each picture."""
        yes, no = self.tokenizer.convert_tokens_to_ids(["yes", "no"])
        rows = self.model.get_output_embeddings().weight.detach()
        head = rows[yes].float() - rows[no].float()
        scores = []
        for path in paths:
            states = self.last_states(self.pair(query, path))
            scores.append(torch.sigmoid(states @ head).item())
        return np.array(scores, dtype=np.float32)

    def pair(self, query: str, path: Path) -> dict[str, torch.Tensor]:
        """Return the model's inputs for one picture."""
        return self.prepare(JUDGE, [[INSTRUCT, "<Query>:", query, "\n<Document>:", path]])
