"""Small checkpoints of the families of two towers: their true architectures, random weights.

Each is saved by transformers itself, so that its files are laid out as published ones are.
"""

import json
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil

WORDS = [
    "a lonely boat in stormy seas under a dark moonlit sky",
    "old man reading by candlelight",
    "the painter's own garden, with blue and gold flowers",
]
LAYERS = {"num_hidden_layers": 2, "num_attention_heads": 4, "hidden_size": 32}
LAYERS |= {"intermediate_size": 64}
ENDS = {"bos_token_id": 1, "eos_token_id": 1}
IMAGE = 64  # px


def letters() -> list[str]:
    return sorted(set("".join(WORDS)) | set("abcdefghijklmnopqrstuvwxyz0123456789,.'!<|>"))


def save(folder: Path, model: torch.nn.Module, processor: object, tokenizer: object) -> Path:
    # The towers' own initial weights are so small that all texts would look alike.
    generator = torch.Generator().manual_seed(5)
    for weight in model.parameters():
        if weight.ndim > 1:
            torch.nn.init.normal_(weight, std=0.2, generator=generator)
    transformers.utils.logging.disable_progress_bar()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_clip(folder: Path, hidden_act: str = "gelu") -> Path:
    """CLIP with a projection of another width than its towers, as ViT-H-14 has."""
    byte_level = pre_tokenizers.ByteLevel.alphabet()
    pieces = [*sorted(byte_level), *sorted(f"{letter}</w>" for letter in byte_level)]
    pieces += ["bo", "at</w>", "boat</w>", "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    merges = [("b", "o"), ("a", "t</w>"), ("bo", "at</w>")]
    tokenizer = transformers.CLIPTokenizer(vocab=vocabulary, merges=merges)
    config = transformers.CLIPConfig(
        text_config={
            **LAYERS,
            "vocab_size": len(pieces),
            "hidden_act": hidden_act,
            "bos_token_id": len(pieces) - 2,
            "eos_token_id": len(pieces) - 1,
            "pad_token_id": len(pieces) - 1,
        },
        vision_config=LAYERS | {"image_size": IMAGE, "patch_size": 16, "hidden_act": hidden_act},
        projection_dim=24,
    )
    processor = CLIPImageProcessorPil(
        size={"shortest_edge": IMAGE}, crop_size={"height": IMAGE, "width": IMAGE}
    )
    return save(folder, transformers.CLIPModel(config), processor, tokenizer)


def make_siglip(folder: Path) -> Path:
    """The first SigLIP: a unigram tokenizer that ends texts and pads them with `</s>`."""
    pieces = [("<unk>", 0.0), ("</s>", 0.0), ("▁", -2.0), ("▁boat", -3.0)]
    pieces += [(letter, -4.0) for letter in letters() if letter != " "]
    backend = Tokenizer(models.Unigram(pieces, unk_id=0))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.post_processor = processors.TemplateProcessing("$A </s>", None, [("</s>", 1)])
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend, unk_token="<unk>", eos_token="</s>", pad_token="</s>"
    )
    config = transformers.SiglipConfig(
        text_config=LAYERS | {"vocab_size": len(pieces), **ENDS},
        vision_config=LAYERS | {"image_size": IMAGE, "patch_size": 16},
    )
    processor = SiglipImageProcessorPil(size={"height": IMAGE, "width": IMAGE})
    save(folder, transformers.SiglipModel(config), processor, tokenizer)
    return named(folder, "SiglipTokenizer")


def make_siglip2(folder: Path) -> Path:
    """SigLIP 2 of one size: the first one's architecture, Gemma's tokenizer, bilinear pictures."""
    tokenizer = gemma_tokenizer()
    # The published file knows nothing of the lower case that the model was trained with.
    tokenizer.backend_tokenizer.normalizer = normalizers.Replace(" ", "▁")
    config = transformers.SiglipConfig(
        text_config=LAYERS | {"vocab_size": len(tokenizer), **ENDS},
        vision_config=LAYERS | {"image_size": IMAGE, "patch_size": 16},
    )
    processor = SiglipImageProcessorPil(size={"height": IMAGE, "width": IMAGE}, resample=2)
    save(folder, transformers.SiglipModel(config), processor, tokenizer)
    return named(folder, "GemmaTokenizer")


def make_naflex(folder: Path) -> Path:
    """SigLIP 2 of any size."""
    tokenizer = gemma_tokenizer()
    config = transformers.Siglip2Config(
        text_config=LAYERS | {"vocab_size": len(tokenizer), **ENDS},
        vision_config=LAYERS | {"patch_size": 16, "num_patches": 16},
    )
    processor = Siglip2ImageProcessorPil(patch_size=16, max_num_patches=20)
    return save(folder, transformers.Siglip2Model(config), processor, tokenizer)


def gemma_tokenizer() -> transformers.PreTrainedTokenizerFast:
    pieces = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁", *letters(), "bo", "at", "boat"]
    pieces += [f"<0x{byte:02X}>" for byte in range(256)]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    merges = [("b", "o"), ("a", "t"), ("bo", "at")]
    tokenizer = transformers.Siglip2Tokenizer(vocab=vocabulary, merges=merges)
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        "$A <eos>", None, [("<eos>", 1)]
    )
    return tokenizer


def named(folder: Path, tokenizer_class: str) -> Path:
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"tokenizer_class": tokenizer_class}))
    return folder
