"""Small tokenizers of the kinds that language models have, trained on a few lines."""

from collections.abc import Callable
from functools import cache
from typing import Any

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import PreTrainedTokenizerFast

LINES = [
    "The red fox sleeps near the old mill. It was tired; the day had been long.",
    "Élan, naïve café: 12 € or 1234 £! It's what they'd said, isn't it?",
    "a b a b c d  two  spaces\tand\nlines \n\n end ... the the the red red fox",
    "日本語 の 文 один два три 🙂 e\u0301 a\u0308 of of of 3 14 159 2653",
] * 8
GPT4 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
MARK = "▁"
ENDS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
SPECIAL = ["<unk>", "<s>", "</s>"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def _wrapped(tokenizer: Tokenizer, template: str = "<s> $A", **settings: Any) -> PreTrainedTokenizerFast:
    used = [(token, tokenizer.token_to_id(token)) for token in ("<s>", "</s>") if token in template]
    last = processors.TemplateProcessing(single=template, special_tokens=used)
    before = [settings.pop("trim")] if "trim" in settings else []
    tokenizer.post_processor = processors.Sequence([*before, last])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **ENDS, **settings)


def _trained(tokenizer: Tokenizer, trainer: Any) -> Tokenizer:
    tokenizer.train_from_iterator(LINES, trainer)
    return tokenizer


def _bpe(size: int = 420, **settings: Any) -> trainers.BpeTrainer:
    return trainers.BpeTrainer(vocab_size=size, special_tokens=SPECIAL, show_progress=False, **settings)


def _byte_level(prefix: bool, trim: bool, cut: Any = None, normalizer: Any = None) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizer
    level = pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=cut is None)
    tokenizer.pre_tokenizer = level if cut is None else pre_tokenizers.Sequence([*cut, level])
    tokenizer.decoder = decoders.ByteLevel()
    _trained(tokenizer, _bpe(initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    trimming = {"trim": processors.ByteLevel(trim_offsets=True, add_prefix_space=prefix)} if trim else {}
    return _wrapped(tokenizer, **trimming)


def split(pattern: str, behaviour: str = "isolated", invert: bool = False) -> pre_tokenizers.Split:
    return pre_tokenizers.Split(Regex(pattern), behaviour, invert)


def _llama(form: str) -> PreTrainedTokenizerFast:
    """BPE with byte fallback that is given the whole text at once, its merges learnt inside words."""
    learnt = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    learnt.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=420 + 256, special_tokens=[*SPECIAL, *BYTES], limit_alphabet=60, show_progress=False
    )
    _trained(learnt, trainer)
    learnt.pre_tokenizer = None
    if form == "normaliser":
        learnt.normalizer = normalizers.Sequence([normalizers.Prepend(MARK), normalizers.Replace(" ", MARK)])
    elif form == "gemma":
        learnt.normalizer = normalizers.Replace(" ", MARK)
        learnt.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    else:
        learnt.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=form, split=False)
    return _wrapped(learnt)


def _llama_1() -> PreTrainedTokenizerFast:
    """Special tokens are normalised, and so found with a mark in front of them."""
    tokenizer = _llama("normaliser")
    tokenizer.add_tokens([AddedToken(token, normalized=True, special=True) for token in SPECIAL])
    return tokenizer


def _unigram(steps: list[Any], normalizer: Any = None) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    trainer = trainers.UnigramTrainer(
        vocab_size=150, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False, max_piece_length=6
    )
    return _wrapped(_trained(tokenizer, trainer), "$A </s>")


def _t5() -> PreTrainedTokenizerFast:
    spaces = normalizers.Replace(Regex(" {2,}"), MARK)
    normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Strip(left=False, right=True), spaces])
    return _unigram([pre_tokenizers.Metaspace()], normalizer)


def _bert() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=200, special_tokens=SPECIAL, show_progress=False)
    return _wrapped(_trained(tokenizer, trainer), "<s> $A </s>")


def _word_level() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return _wrapped(_trained(tokenizer, trainers.WordLevelTrainer(special_tokens=SPECIAL, show_progress=False)))


def _spanning(normalizer: Any = None, cut: Any = None) -> PreTrainedTokenizerFast:
    """BPE whose merges were learnt across spaces."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, cut
    return _wrapped(_trained(tokenizer, _bpe(300)), "<s> $A </s>")


def _with_added(*added: AddedToken) -> PreTrainedTokenizerFast:
    tokenizer = _byte_level(False, False)
    tokenizer.add_tokens(list(added))
    return tokenizer


def _llama_with(*added: AddedToken) -> PreTrainedTokenizerFast:
    tokenizer = _llama("normaliser")
    tokenizer.add_tokens(list(added))
    return tokenizer


def _dropping() -> PreTrainedTokenizerFast:
    """As LLaMA's, but characters that are not in the vocabulary are dropped."""
    tokenizer = _llama("always")
    tokenizer.backend_tokenizer.model.byte_fallback = False
    tokenizer.backend_tokenizer.model.unk_token = None
    return tokenizer


NFC = normalizers.NFC()
INDEPENDENT: dict[str, Callable[[], Any]] = {
    "gpt2": lambda: _byte_level(False, False),
    "gpt2 trimmed": lambda: _byte_level(False, True),
    "roberta": lambda: _byte_level(True, True),
    "gpt4": lambda: _byte_level(False, False, [split(GPT4)]),
    "gpt4 removed": lambda: _byte_level(False, True, [split(GPT4, "removed", True)], NFC),
    "falcon": lambda: _byte_level(
        False,
        False,
        [
            pre_tokenizers.Punctuation("contiguous"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
            pre_tokenizers.Digits(),
            split("[0-9][0-9][0-9]"),
        ],
    ),
    "deepseek": lambda: _byte_level(False, False, [split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"), split(GPT4)]),
    "llama always": lambda: _llama("always"),
    "llama first": lambda: _llama("first"),
    "llama never": lambda: _llama("never"),
    "llama normaliser": lambda: _llama("normaliser"),
    "llama 1": _llama_1,
    "llama 1 with a word added": lambda: _llama_with(AddedToken("fox", normalized=False)),
    "gemma": lambda: _llama("gemma"),
    "t5": _t5,
    "albert": lambda: _unigram([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()], normalizers.NFKD()),
    "bert": _bert,
    "words": _word_level,
    "added": lambda: _with_added(AddedToken("fox"), AddedToken("sl", single_word=True), AddedToken("<x>", rstrip=True)),
}
DEPENDENT: dict[str, Callable[[], Any]] = {
    "spanning": _spanning,
    "spanning with marks": lambda: _spanning(normalizers.Replace(" ", MARK)),
    "spanning, cut at digits": lambda: _spanning(cut=pre_tokenizers.Digits()),
    "spanning, cut behind spaces": lambda: _spanning(cut=pre_tokenizers.Split(" ", "merged_with_previous")),
    "spanning, cut at a pattern of pairs": lambda: _spanning(cut=split(r"\w+ \w+|\s+|\S")),
    "spanning, lengths": lambda: _spanning(cut=pre_tokenizers.FixedLength(5)),
    "spanning, cut at what is no longer there": lambda: _spanning(
        normalizers.Replace(" ", MARK), pre_tokenizers.WhitespaceSplit()
    ),
    "spanning, words put together": lambda: _spanning(cut=split(r"\S+|\s+", "contiguous")),
    "spanning, letters replaced": lambda: _spanning(normalizers.Replace("x", " "), split(r"\S+|\s+")),
    "spanning, a pattern replaced": lambda: _spanning(normalizers.Replace(Regex(r"\w \w"), "a"), split(r"\S+|\s+")),
    "spanning, as bytes": lambda: _spanning(normalizers.ByteLevel(), pre_tokenizers.WhitespaceSplit()),
    "spanning, ideographs put between spaces": lambda: _spanning(normalizers.BertNormalizer(), split(r"\S+|\s+")),
    "added, normalised with a mark": lambda: _llama_with(AddedToken("fox", normalized=True)),
    "unigram without cuts": lambda: _unigram([pre_tokenizers.Metaspace(split=False)]),
    "bytes without cuts": lambda: _byte_level(False, False, [split("[0-9]")]),
    "dropping": _dropping,
    "added with a space": lambda: _with_added(AddedToken("red fox")),
    "added that takes a space": lambda: _with_added(AddedToken("fox", lstrip=True)),
    "added that takes what follows": lambda: _with_added(AddedToken("fox", rstrip=True)),
}


@cache
def tokenizer_of(kind: str) -> Any:
    """Return a tokenizer of a kind, made once."""
    return (INDEPENDENT | DEPENDENT)[kind]()
