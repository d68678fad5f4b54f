"""A leak audit plants secrets, learns them with and without redaction, and counts what comes back."""

import dataclasses
import json
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from assay import recipes
from assay.artifacts import Artifact, Dataset, Trained
from assay.errors import RecipeError
from assay.evaluation.memorisation import MODES
from assay.leakage import LeakAudit
from assay.model import adapter
from assay.policy import RedactionSpec
from assay.privacy.replacement import fingerprints, redaction
from assay.records import to_parquet
from assay.store import ArtifactStore
from assay.trials import LeakAuditSpec
from assay.tuning import SelectionSpec, TrainingSpec
from tasks import auditing, planting, probes, probing
from tasks.places import value_key
from tests import tiny_model
from tests.tasks.conftest import in_flow, words

POLICY = RedactionSpec(profile="fast")
CHEAP = LeakAuditSpec()
SIZE = MODES["cheap"]
TRAINING = TrainingSpec(
    method="lora",
    rank=2,
    alpha=4,
    target_modules=("q_proj", "v_proj"),
    learning_rate=0.01,
    epochs=1,
    batch_size=4,
    max_length=200,
    selection=SelectionSpec(keep="best", patience=2),
)
NAME = "Wendeline Quandorf"


@pytest.fixture
def train(store: ArtifactStore, record) -> Dataset:
    """Thirty records as redaction left them."""
    records = [
        record(id=f"r{n}", prompt=f"Where is parcel {n}?", completion=json.dumps({"intent": "delivery", "n": n}))
        for n in range(30)
    ]
    return Dataset(shards=(store.put("records", to_parquet(records)),))


@pytest.fixture
def planted(train, store: ArtifactStore, monkeypatch) -> Artifact:
    """Canaries, redacted here and not in a process of the pool."""
    monkeypatch.setattr(auditing, "in_process", lambda function, *args: function(*args))
    monkeypatch.setattr(auditing, "release", lambda: None)
    filed: Artifact = auditing.plant.fn(train, POLICY, "key", {}, CHEAP)
    return filed


def test_redaction_leaves_no_secret_of_any_kind():
    """Of each kind twenty, in both places, by rules alone."""
    kinds = planting.canaries.KINDS
    made = planting.canaries.plant(
        tuple(kinds), planting.invent, ["Noted."], sizes={"completion": 10, "prompt": 10}, repetitions=(1, 4),
        others=1, seed=3,
    )  # fmt: skip
    kept, dropped, _ = redaction.redact([c.record() for c in made], POLICY, planting.Detector(POLICY).find, b"k" * 32)

    assert not dropped
    left = [c.kind for c, row in zip(made, kept, strict=True) if c.secret in row.text]
    assert left == []


def test_secrets_of_a_kind_have_one_form():
    """They are ranked among one another, so nothing but their digits may tell them apart."""
    draw = random.Random(0)

    for kind in planting.canaries.KINDS:
        forms = {"".join("#" if c.isdigit() else "?" if c.isupper() else c for c in planting.invent(kind, draw))
                 for _ in range(40)}  # fmt: skip
        assert len(forms) == 1, forms


def test_kinds_are_those_that_the_policy_replaces():
    """Access tokens are always among them; surrogates count as replaced."""
    assert planting.kinds(POLICY) == ("ACCOUNT_ID", "CREDIT_CARD")
    assert planting.kinds(RedactionSpec.only("PERSON")) == ("SECRET",)


def recipe(**redaction):
    """As much of a recipe as is checked."""
    return SimpleNamespace(leak_audit=CHEAP, redaction=RedactionSpec(profile="fast", **redaction))


def test_a_recipe_whose_redaction_lets_no_canary_pass_is_refused_when_it_is_opened():
    """By its languages, its length, or for want of a kind; English among them is enough, and no audit asks nothing."""
    planting.check(recipe())
    planting.check(recipe(languages=("de", "en")))
    planting.check(SimpleNamespace(leak_audit=None, redaction=None))

    for policy in ({"languages": ("de",)}, {"max_characters": 20}):
        with pytest.raises(RecipeError, match="every canary"):
            planting.check(recipe(**policy))


def test_canaries_that_are_all_set_aside_are_refused_before_anything_is_trained(train, monkeypatch):
    """Redaction itself has the last word."""
    monkeypatch.setattr(auditing, "in_process", lambda function, *args: function(*args))
    monkeypatch.setattr(auditing, "release", lambda: None)
    policy = RedactionSpec(profile="fast", languages=("de",))

    with pytest.raises(RecipeError, match="every canary"):
        auditing.plant.fn(train, policy, "key", {}, CHEAP)


def test_the_siblings_learn_the_same_rows_but_for_the_secrets(planted, train, store: ArtifactStore):
    """As many of each; the control's hold every planted secret, the other's none, and neither a twin's."""
    told = json.loads(store.get(planted))
    control = auditing.learned(planted, train, "control", CHEAP)
    redacted = auditing.learned(planted, train, "redacted", CHEAP)

    assert [row.id for row in control] == [row.id for row in redacted]
    assert len(control) == len({row.id for row in control}) == SIZE.ordinary + (SIZE.completion + SIZE.prompt) * 21
    left = "\n".join(row.text for row in redacted)
    for canary in told["canaries"]:
        assert sum(canary["secret"] in row.text for row in control) == canary["repetitions"] * canary["planted"]
        assert canary["secret"] not in left
    assert (told["unmasked"], told["set_aside"]) == (0, 0)


def test_siblings_learn_as_the_candidate_does_but_for_its_validation_side():
    """Method, rank and learning rate stay."""
    scaled = auditing.scaled(TRAINING, CHEAP)

    assert (scaled.epochs, scaled.selection) == (SIZE.epochs, SelectionSpec())
    assert scaled.model_copy(update={"epochs": 1, "selection": TRAINING.selection}) == TRAINING


def test_a_recipe_without_an_audit_has_no_such_step():
    """Nothing else of it is read."""

    class Recipe:
        leak_audit = None

    assert auditing.planted(None, Recipe()) is None
    assert auditing.audited(None, None, None, None, Recipe()) is None


@pytest.fixture
def job(planted, train, store: ArtifactStore, tmp_path, monkeypatch) -> dict[str, Any]:
    """What the process is given: a model of two layers, and one adapter that stands for all three."""
    monkeypatch.setenv("ASSAY_THREADS", "1")
    base = store.put_tree("base", tiny_model.build(tmp_path / "tiny"))
    model = adapter.attach(tmp_path / "tiny", TRAINING)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.data.fill_(0.01)
    adapter.save(model, "tiny", "0" * 64, tmp_path / "adapter")
    learned = store.put_tree("adapter", tmp_path / "adapter").model_dump()
    mark = redaction.Mark("context[0]", 0, 5, "PERSON", "high", fingerprints.fingerprint(NAME, value_key()))
    audited = [redaction.Audited("r1", {"PERSON": 1}, (mark,))]
    return {
        "base": base.model_dump(),
        **dict.fromkeys(("candidate", "control", "redacted"), learned),
        "canaries": planted.model_dump(),
        "train": train.model_dump(),
        "sealed": store.put("fingerprints", fingerprints.seal(audited, POLICY, value_key())).model_dump(),
        "dtype": "float32",
        "system": "Reply.",
        "max_length": 200,
        "epochs": 8,
        "spec": CHEAP.model_dump(),
    }


def test_a_probe_of_models_that_know_nothing_finds_chance_and_no_hit(job, store: ArtifactStore, tmp_path):
    """All that was tried is counted, and no secret, value or key is in what is filed."""
    events: list[dict[str, Any]] = []
    small = dataclasses.replace(SIZE, epochs=8, prompts=4, again=2, free=4)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(MODES, "cheap", small)
        patch.setattr(probing, "SAID", 8)
        patch.setattr(probes, "SAID", 8)
        patch.setattr(probing, "ANSWER", 8)
        probing.probe(job, tmp_path, events.append)

    filed = (tmp_path / "audit.json").read_text()
    audit = LeakAudit.model_validate_json(filed)
    assert [event["step"] for event in events] == [1, 2, 3, 4]
    assert audit.scan("candidate") == (10, 0)
    assert (audit.prompts, audit.leaking) == (4 + 2 + 1, 0) == (small.distinct, 0)
    assert audit.scan("control") == (36, 0)
    assert {g.repetitions: len(g.exposures) for g in audit.groups if g.place == "completion"} == {
        0: 6,
        1: 2,
        4: 2,
        16: 2,
    }
    assert all(0 <= exposure <= audit.ceiling for group in audit.groups for exposure in group.exposures)
    lesson = next(each for each in audit.lessons if (each.model, each.place) == ("control", "completion"))
    assert lesson.rows == 42
    assert lesson.learned_tokens > lesson.secret_tokens > 0
    assert next(e for e in audit.lessons if (e.model, e.place) == ("redacted", "completion")).secret_tokens == 0
    assert audit.values == 1
    secrets = [canary["secret"] for canary in json.loads(store.get(Artifact(**job["canaries"])))["canaries"]]
    assert not [each for each in (*secrets, NAME, value_key().decode()) if each in filed]


def test_what_a_model_says_is_found_by_the_key_of_the_deployment(job, tmp_path):
    """The same search finds planted secrets and removed values, in any spelling."""
    probe = probes.Probe(job, tmp_path)
    planted = next(canary for canary in probe.planted if canary.planted)
    twin = next(canary for canary in probe.planted if not canary.planted)

    assert probe.removed(f"It is {NAME.upper()}, I think.") == {"wendelinequandorf"}
    assert probe.secrets(f'{{"id": "{planted.secret}"}}') == {planted.secret.casefold()}
    assert probe.secrets(f"{twin.secret} and {NAME}") == frozenset()


def test_no_kind_at_all_is_refused(monkeypatch):
    """A policy cannot keep access tokens, so only a list without them shows it."""
    monkeypatch.setattr(planting.canaries, "KINDS", {"IBAN": "IBAN"})

    with pytest.raises(RecipeError, match="canaries are such values"):
        planting.kinds(RedactionSpec.only("PERSON"))


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_an_audit_is_made_of_four_steps_and_then_answers_from_the_record(train, store, seen, tmp_path, monkeypatch):
    """Two siblings are trained and asked in processes of their own; the answer is a leak audit."""
    monkeypatch.setenv("ASSAY_THREADS", "1")
    base = store.put_tree("base", tiny_model.build(tmp_path / "tiny"))
    model = adapter.attach(tmp_path / "tiny", TRAINING)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.data.fill_(0.01)
    adapter.save(model, "tiny", "0" * 64, tmp_path / "adapter")
    trained = Trained(adapter=store.put_tree("adapter", tmp_path / "adapter"), record=store.put("record", b"{}"))
    sealed = store.put("fingerprints", fingerprints.seal([], POLICY, value_key()))
    path = Path(__file__).parents[2] / "recipes" / "support_triage" / "recipe.yaml"
    spec = recipes.parse(path.read_bytes(), str(path))
    spec = spec.model_copy(
        update={
            "redaction": POLICY,
            "training": TRAINING,
            "leak_audit": CHEAP,
            "base": spec.base.model_copy(update={"dtype": "float32"}),
        }
    )

    first, again = in_flow(lambda: [auditing.audited(base, trained, train, sealed, spec) for _ in range(2)])

    assert first == again
    audit = LeakAudit.model_validate_json(store.get(first))
    steps = ["plant", "memorise-control", "memorise-redacted", "probe"]
    assert words(seen) == [*((step, "computed") for step in steps), *((step, "cached") for step in steps)]
    control = next(each for each in audit.lessons if (each.model, each.place) == ("control", "completion"))
    assert control.after < control.before
