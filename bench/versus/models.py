"""One checkpoint for everybody: demo with the dimensions of a size, in each program's own form."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from bench.versus.ggml import write_ggml
from bench.widen import write_widened
from voice_transcriber.engines.checkpoints import DEMO_FILE
from voice_transcriber.engines.ct2_convert import convert
from voice_transcriber.engines.whisper_text import languages_of, tokenizer_of

_VOCABULARY = "vocabulary.json"


class Models:
    """Forms of the checkpoint below a folder; each is made when it is first asked for."""

    def __init__(self, folder: Path, size: str) -> None:
        """`size` is demo, or the published size to whose dimensions demo is widened."""
        self.folder = folder  # of the checkpoint: our WHISPER_MODEL_DIR
        self.name = "demo" if size == "demo" else f"demo-{size}"

    @property
    def checkpoint(self) -> Path:
        if self.name == "demo":
            return DEMO_FILE
        path = self.folder / f"{self.name}.pt"
        if not path.exists():
            size = self.name.removeprefix("demo-")
            write_widened(size, path.with_suffix(".part")).rename(path)
        return path

    def ctranslate2(self) -> Path:
        """A folder as the package faster-whisper wants it, with a tokenizer."""
        target = self._other(f"{self.name}.ctranslate2")
        if not target.exists():
            part = target.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            convert(self.checkpoint, part, size=self.name)
            dims = torch.load(self.checkpoint, map_location="cpu", weights_only=True)["dims"]
            write_tokenizer(part, dims["n_vocab"])
            settings = {"feature_size": dims["n_mels"]}
            (part / "preprocessor_config.json").write_text(json.dumps(settings), encoding="utf-8")
            part.rename(target)
        return target

    def ggml(self, *, quantized: bool) -> Path:
        """A file for whisper.cpp."""
        target = self._other(f"{self.name}-{'q8_0' if quantized else 'f16'}.ggml")
        return (
            target if target.exists() else write_ggml(self.checkpoint, target, quantized=quantized)
        )

    def _other(self, name: str) -> Path:
        """Not among our own models, where another form would be taken for one of ours."""
        folder = self.folder / "others"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name


def write_tokenizer(folder: Path, vocabulary_size: int) -> None:
    """tokenizer.json for the vocabulary that CTranslate2's converter wrote into the folder."""
    from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE

    encoding = tokenizer_of(languages_of(vocabulary_size)).encoding
    ranks: Mapping[bytes, int] = encoding._mergeable_ranks
    texts = json.loads((folder / _VOCABULARY).read_text(encoding="utf-8"))
    merges = [
        (texts[ranks[first]], texts[ranks[second]])
        for first, second in (merged_from(token, ranks) for token in in_order(ranks))
    ]
    model = BPE(vocab={texts[rank]: rank for rank in ranks.values()}, merges=merges)
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    specials = sorted(encoding._special_tokens.items(), key=lambda item: item[1])
    tokenizer.add_special_tokens([AddedToken(text, special=True) for text, _ in specials])
    wrong = [text for text, rank in specials if tokenizer.token_to_id(text) != rank]
    if wrong:
        raise SystemExit(f"The tokenizer for faster-whisper gives other numbers to {wrong[:3]}.")
    tokenizer.save(str(folder / "tokenizer.json"))


def in_order(ranks: Mapping[bytes, int]) -> Sequence[bytes]:
    """The tokens that are merged from others, those that are merged first before the others."""
    return sorted((token for token in ranks if len(token) > 1), key=lambda token: ranks[token])


def merged_from(token: bytes, ranks: Mapping[bytes, int]) -> tuple[bytes, bytes]:
    """The two tokens of which byte-pair encoding makes this one in its last step."""
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 2:
        pairs = [ranks.get(parts[i] + parts[i + 1], len(ranks)) for i in range(len(parts) - 1)]
        best = pairs.index(min(pairs))
        parts[best : best + 2] = [parts[best] + parts[best + 1]]
    first, second = parts
    return first, second
