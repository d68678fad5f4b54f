"""Recognisers of the organisation's own: small real ones, opened only if they are data, and the bytes pinned."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from assay.errors import RecogniserError, RedactionError
from assay.policy import RecogniserSpec, RedactionSpec
from assay.privacy.detection.detector import Detector
from assay.privacy.patterns import Span
from assay.privacy.recognisers import opening, pattern_files
from assay.privacy.recognisers.gliner_models import SIZE, windows
from assay.records import Known

PATTERNS = r"""
recognizers:
  - name: Staff
    supported_entity: STAFF
    supported_language: de
    patterns: [{name: number, regex: 'E-\d{4}', score: 0.2}]
    context: [employees, badge]
  - name: Projects
    supported_entity: PROJECT
    deny_list: [Bluebird, Nightjar]
  - EmailRecognizer
  - name: CreditCardRecognizer
    type: predefined
  - name: Off
    enabled: false
    supported_entity: NOTHING
    patterns: [{name: x, regex: 'x', score: 1.0}]
"""

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "ask", "zorblax", "quen", "##tin", "about", "it", ".", "the", "ticket"]


def spec(path: Path, kind: str, labels: dict[str, str], **others: object) -> RecogniserSpec:
    """A recogniser as a recipe would name it."""
    return RecogniserSpec.model_validate(
        {"name": "ours", "kind": kind, "uri": str(path), "digest": opening.digest(path), "labels": labels}
        | {"licence": "Apache-2.0"}
        | others
    )


def written(path: Path, text: str = PATTERNS) -> Path:
    """A file of patterns."""
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT without attention or layers, set so that "zorblax" is the first and "quentin" the whole of a name."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertForTokenClassification, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("recognisers") / "classifier"
    words = Tokenizer(models.WordPiece({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.normalizer, words.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.BertPreTokenizer()
    words.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        model_max_length=24,
    ).save_pretrained(folder)  # fmt: skip
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=4, num_hidden_layers=0, num_attention_heads=1, intermediate_size=4,
        max_position_embeddings=24, id2label={0: "O", 1: "B-CODENAME", 2: "I-CODENAME"},
        label2id={"O": 0, "B-CODENAME": 1, "I-CODENAME": 2},
    )  # fmt: skip
    model = BertForTokenClassification(config)
    with torch.no_grad():
        for weights in model.parameters():
            weights.zero_()
        model.bert.embeddings.LayerNorm.weight.fill_(1)
        model.bert.embeddings.word_embeddings.weight[:, 0] = 1
        for word in ("zorblax", "quen"):
            model.bert.embeddings.word_embeddings.weight[WORDS.index(word)] = torch.tensor([0.0, 1, 0, 0])
        model.bert.embeddings.word_embeddings.weight[WORDS.index("##tin")] = torch.tensor([0.0, 0, 1, 0])
        model.classifier.weight.copy_(torch.tensor([[2.0, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0]]))
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spaCy pipeline that knows one product by rule."""
    import spacy

    folder = tmp_path_factory.mktemp("recognisers") / "pipeline"
    blank = spacy.blank("en")
    blank.add_pipe("entity_ruler").add_patterns([{"label": "GADGET", "pattern": [{"LOWER": "frobnicator"}]}])
    blank.to_disk(folder)
    return folder


def test_presidios_own_format_is_read_whole(tmp_path: Path):
    """A bare name and an entry for another language would otherwise be left out in silence."""
    own = {"STAFF": "STAFF_ID", "PROJECT": "PROJECT", "EMAIL_ADDRESS": "EMAIL", "CREDIT_CARD": "CREDIT_CARD"}
    found = opening.opened(spec(written(tmp_path / "own.yaml"), "presidio", own, threshold=0.3)).find(
        ["His badge says E-1234, bluebird.", "Part E-1234 is broken.", "to a@example.com, card 4111111111111111"]
    )

    assert [[(hit.start, hit.end, hit.type) for hit in row] for row in found] == [
        [(15, 21, "STAFF_ID"), (23, 31, "PROJECT")],
        [],
        [(3, 16, "EMAIL"), (23, 39, "CREDIT_CARD")],
    ]


def test_context_is_whole_words_and_heeds_plurals(tmp_path: Path):
    """Presidio's default takes "badgers" for a badge."""
    own = opening.opened(spec(written(tmp_path / "own.yaml"), "presidio", {"STAFF": "STAFF_ID"}, threshold=0.3))

    assert [len(row) for row in own.find(["employee E-1234", "badges E-1234", "badgers E-1234"])] == [1, 1, 0]


def test_a_pattern_that_takes_too_long_fails_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Presidio skips it with a warning, and the text passes unexamined."""
    monkeypatch.setattr(pattern_files, "SECONDS", 0.2)
    slow = written(
        tmp_path / "slow.yaml",
        "recognizers: [{name: Slow, supported_entity: X, patterns: [{name: p, regex: '(?:a|a|aa)+b$', score: 1.0}]}]",
    )
    detector = Detector(RedactionSpec(profile="fast", recognisers=(spec(slow, "presidio", {"X": "X"}),)))

    with pytest.raises(RedactionError, match="took more than"):
        detector.find(["a" * 60 + "c"], [[]])
    assert [s.type for s in detector.find(["aab"], [[]])[0]] == ["X"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("recognizers: [{name: GLiNERRecognizer, type: predefined}]", "match patterns"),
        ("recognizers: [SpacyRecognizer]", "match patterns"),
        ("recognizers: [IbanRecognizer]", "match patterns"),
        ("recognizers: [{name: x, supported_entity: X, patterns: [{name: p, regex: '(', score: 1}]}]", "not loadable"),
        ("recognizers: [{name: x}]", "not loadable|left out"),
        ("rules: []", "not a file of recognisers"),
        ("{", "not a file of recognisers"),
        ("recognizers: [{name: x, supported_entity: Y, deny_list: [y]}]", "expected it to find \\['X'\\]"),
    ],
)
def test_a_file_that_would_not_be_applied_as_it_reads_is_refused(text: str, says: str, tmp_path: Path):
    """Nothing is left out, fetched, or asked of a service."""
    with pytest.raises(RecogniserError, match=says):
        opening.opened(spec(written(tmp_path / "own.yaml", text), "presidio", {"X": "X"}))


def test_a_token_classifier_finds_its_names_wherever_they_stand(classifier: Path):
    """Also far behind what the model reads at once, and the same beside other texts."""
    own = opening.opened(spec(classifier, "huggingface", {"CODENAME": "CODENAME"}))
    texts = ["ask Zorblax Quentin about it.", "", "the ticket. " * 200 + "ask quentin", "the ticket", "zorblax"]
    found = own.find(texts)

    assert [[text[s.start : s.end] for s in row] for text, row in zip(texts, found, strict=True)] == [
        ["Zorblax Quentin"],
        [],
        ["quentin"],
        [],
        ["zorblax"],
    ]
    assert all(0.9 < s.score <= 1 and s.type == "CODENAME" for row in found for s in row)
    assert found == [own.find([text])[0] for text in texts]
    assert found == own.find(texts[::-1])[::-1]


def test_a_threshold_and_full_labels_are_heeded(classifier: Path):
    """A label may be named with its place in a span."""
    assert opening.opened(spec(classifier, "huggingface", {"B-CODENAME": "X"})).find(["zorblax"])[0]
    assert not opening.opened(spec(classifier, "huggingface", {"CODENAME": "X"}, threshold=1)).find(["zorblax"])[0]
    with pytest.raises(RecogniserError, match=r"tells \['CODENAME', 'O'\], expected it to tell \['PER'\]"):
        opening.opened(spec(classifier, "huggingface", {"PER": "PERSON"}))


def test_a_spacy_pipeline_finds_by_its_rules(pipeline: Path):
    """Whatever its neighbours, and only what the recipe maps."""
    own = opening.opened(spec(pipeline, "spacy", {"GADGET": "PRODUCT"}))

    assert own.find(["my Frobnicator hums", "", "no"]) == [[Span(3, 14, "PRODUCT", 0.8)], [], []]
    with pytest.raises(RecogniserError, match=r"finds \['GADGET'\], expected it to find \['PERSON'\]"):
        opening.opened(spec(pipeline, "spacy", {"PERSON": "PERSON"}))


def test_own_types_are_masked_propagated_and_may_be_known(pipeline: Path, classifier: Path, tmp_path: Path):
    """A type that Assay does not know is treated as those that it does; patterns are asked about fields too."""
    own = (
        spec(written(tmp_path / "own.yaml"), "presidio", {"PROJECT": "PROJECT"}, name="projects"),
        spec(pipeline, "spacy", {"GADGET": "PRODUCT"}, name="products"),
        spec(classifier, "huggingface", {"CODENAME": "PERSON"}, name="names"),
    )
    detector = Detector(RedactionSpec(profile="fast", recognisers=own))
    text = "Ask zorblax of Nightjar about the frobnicator, mail a@example.org."

    assert [(s.type, text[s.start : s.end]) for s in detector.find([text], [[]])[0]] == [
        ("PERSON", "zorblax"),
        ("PROJECT", "Nightjar"),
        ("PRODUCT", "frobnicator"),
        ("EMAIL", "a@example.org"),
    ]
    fields = detector.find(["Nightjar", "frobnicator", "gizmo"], [[], [], [Known("PRODUCT", "gizmo")]], strict=True)
    assert [[s.type for s in row] for row in fields] == [["PROJECT"], [], ["PRODUCT"]]


def test_another_file_in_its_place_is_refused_before_it_is_loaded(classifier: Path, pipeline: Path, tmp_path: Path):
    """An exchanged detector would pass names in silence."""
    for source, kind, file in ((classifier, "huggingface", "model.safetensors"), (pipeline, "spacy", "tokenizer")):
        pinned = spec(source, kind, {"X": "X"})
        copy = Path(shutil.copytree(source, tmp_path / kind))
        (copy / "README.md").write_text("changes nothing")
        assert opening.digest(copy) == pinned.digest
        (copy / file).write_bytes(b"\0")
        with pytest.raises(RecogniserError, match=r"recogniser ours: \w+: found sha256 .* `redaction.recognisers`"):
            opening.opened(pinned.model_copy(update={"uri": str(copy)}))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("modeling_own.py", "print('hello')", "can run code"),
        ("pytorch_model.bin.pkl", "", "can run code"),
        ("config.json", '{"auto_map": {"AutoModel": "m.M"}}', "own code"),
        ("config.json", '{"auto_map"', "own code"),
    ],
)
def test_models_that_bring_code_are_refused(name: str, content: str, says: str, classifier: Path, tmp_path: Path):
    """Opening a detector must not run what is in it."""
    copy = Path(shutil.copytree(classifier, tmp_path / "copy"))
    (copy / name).write_text(content)

    with pytest.raises(RecogniserError, match=says):
        opening.digest(copy)


def test_pickled_weights_alone_are_refused(classifier: Path, tmp_path: Path):
    """A .bin file is a pickle."""
    copy = Path(shutil.copytree(classifier, tmp_path / "copy"))
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")

    with pytest.raises(RecogniserError, match="convert them"):
        opening.digest(copy)


def test_a_pipeline_that_names_functions_of_others_is_refused(pipeline: Path, tmp_path: Path):
    """They would run as it is loaded."""
    copy = Path(shutil.copytree(pipeline, tmp_path / "copy"))
    config = (copy / "config.cfg").read_text()
    (copy / "config.cfg").write_text(config.replace('"spacy.Tokenizer.v1"', '"acme.Tokenizer.v1"'))

    with pytest.raises(RecogniserError, match=r"acme\.Tokenizer\.v1"):
        opening.opened(spec(copy, "spacy", {"GADGET": "X"}))


def test_a_classifier_without_its_last_layer_is_refused(classifier: Path, tmp_path: Path):
    """Transformers would fill it with random numbers."""
    from safetensors.torch import load_file, save_file

    copy = Path(shutil.copytree(classifier, tmp_path / "copy"))
    weights = {k: v for k, v in load_file(copy / "model.safetensors").items() if not k.startswith("classifier")}
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(RecogniserError, match="found no weights for"):
        opening.opened(spec(copy, "huggingface", {"CODENAME": "X"}))


@pytest.mark.parametrize(
    ("uri", "kind", "says"),
    [
        ("nowhere", "spacy", "recogniser ours: nowhere: found nothing there, expected a folder with config.cfg"),
        ("package:no-such-package/x", "presidio", "install no-such-package"),
        (".", "huggingface", "expected a folder with config.json"),
        (__file__, "presidio", "found a .py file, expected a .yaml"),
    ],
)
def test_what_is_not_there_is_said(uri: str, kind: str, says: str):
    """A typing error should cost a glance."""
    absent = {"name": "ours", "kind": kind, "uri": uri, "digest": "0" * 64, "labels": {"X": "X"}, "licence": "MIT"}

    with pytest.raises(RecogniserError, match=says):
        opening.opened(RecogniserSpec.model_validate(absent))


def gliner_folder(folder: Path) -> Path:
    """A GLiNER model of a few thousand random weights."""
    import torch
    from gliner import GLiNER, GLiNERConfig
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, PreTrainedTokenizerFast

    torch.manual_seed(0)
    words = Tokenizer(models.WordPiece({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    tokenizer.save_pretrained(folder)
    encoder = BertConfig(
        vocab_size=len(WORDS), hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
    )
    encoder.save_pretrained(folder)
    config = GLiNERConfig(
        model_name=str(folder), encoder_config=encoder.to_dict(), hidden_size=8, max_len=384, num_rnn_layers=0
    )
    model = GLiNER.from_config(config, load_tokenizer=True, backbone_from_pretrained=False)
    model.save_pretrained(folder, safe_serialization=True)
    return folder


def test_gliner_reads_long_texts_whole_and_each_by_itself(tmp_path: Path):
    """Where the extra is installed; its weights are random here, so it finds something almost everywhere."""
    pytest.importorskip("gliner")
    folder = gliner_folder(tmp_path / "gliner")
    own = opening.opened(spec(folder, "gliner", {"code name": "CODENAME", "ticket": "ORDER_ID"}, threshold=0.01))
    texts = ["ask zorblax about it.", "", "ask about the ticket " * 60]
    found = own.find(texts)

    assert found[0]
    assert not found[1]
    assert max(hit.end for hit in found[2]) > len(texts[2]) - 100
    assert all(0 <= hit.start < hit.end <= len(text) for text, row in zip(texts, found, strict=True) for hit in row)
    assert found == [own.find([text])[0] for text in texts]
    config = json.loads((folder / "gliner_config.json").read_text())
    (folder / "gliner_config.json").write_text(json.dumps({**config, "encoder_config": None}))
    with pytest.raises(RecogniserError, match="would be fetched"):
        opening.opened(spec(folder, "gliner", {"code name": "X"}))


def test_gliner_is_asked_for_by_name_where_it_is_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It is an extra."""
    (tmp_path / "gliner_config.json").write_text(json.dumps({"encoder_config": {}}))
    (tmp_path / "model.safetensors").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "gliner", None)

    with pytest.raises(RecogniserError, match="install gliner"):
        opening.opened(spec(tmp_path, "gliner", {"name": "PERSON"}))


def test_windows_cover_every_character_and_never_cut_a_word_that_fits():
    """What GLiNER is given at once is short enough to be read whole."""
    for text in ("word " * 500, "x" * 1000, "", "one", "a\nlonger\n" * 99, "y" * 400 + " z" * 300):
        places = list(windows(text))
        covered = {i for start, end in places for i in range(start, end)}

        assert all(i in covered for i, c in enumerate(text) if not c.isspace())
        assert all(end - start <= SIZE for start, end in places)
    assert all(("word " * 500)[start - 1 : start] in {"", " "} for start, _ in windows("word " * 500))
