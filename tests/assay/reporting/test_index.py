"""Every run is listed with its pages; the newest page says how things stand."""

import re

from assay.reporting.filed import Judged, Masked, Run, Sweep
from assay.reporting.index import RUNS_A_PAGE, SHOWN_SWEEPS, index, pages
from tests.assay.reporting import measurements
from tests.assay.reporting.test_report import MARKUP, parsed

DECISIONS = ("accepted", "accepted", "refused", "inconclusive", None)


def record(number: int, verdict: str | None = "accepted", **changed: object) -> dict[str, object]:
    """A run as it is filed; a higher number is a later one."""
    checks = [
        {"id": "RAW-001", "evaluated": 9, "failed": 2, "status": "failed", "waived": 0},
        {"id": "RAW-002", "evaluated": 9, "failed": number % 2, "status": "failed" if number % 2 else "passed"},
        {"id": "RAW-003", "evaluated": 9, "failed": 1, "status": "waived", "waived": 1},
    ]
    waivers = [
        {"check": "RAW-003", "who": "jane@acme.example", "until": "2026-12-10", "in_force": True},
        {"check": "RAW-004", "who": "sam@acme.example", "until": "2027-12-10", "in_force": True},
        {"check": "RAW-005", "who": "sam@acme.example", "until": "2026-01-10", "in_force": False},
    ]
    filed: dict[str, object] = {
        "run": f"{number:08x}-0000", "started": f"2026-12-{number % 28 + 1:02}T06:59:45+00:00",
        "recipe": "/somewhere/recipes/support_triage", "settings": {}, "verdict": verdict,
        "steps": [{"task": "ingest", "state": "computed", "seconds": 1.0, "reason": ""}],
        "validations": [{
            "doorway": "raw", "suite": "raw", "version": 3, "decision": "quarantine", "rows": 9, "quarantined": 2,
            "checks": checks, "waivers": waivers, "page": f"runs/{number}/raw.html",
        }],
    }  # fmt: skip
    if verdict is None:
        failed = {"task": "validate-redacted", "state": "failed", "seconds": 1.0, "reason": None}
        return filed | {"steps": [*filed["steps"], failed], "error": "ExpectationError: found less."} | changed
    return filed | {
        "sentence": "It is so.", "model": "triage", "version": number, "report": "/somewhere/reports/triage-1.html",
        "dataset": {"version": "d" * 64, "page": "datasets/1/card.html", "croissant": "datasets/1/croissant.json"},
        "wall_seconds": 187.3,
    } | changed  # fmt: skip


def runs(number: int) -> list[Run]:
    """So many runs, newest first."""
    filed = [record(place, DECISIONS[place % 5]) for place in range(number)]
    return [Run.model_validate(each) for each in reversed(filed)]


def test_a_run_links_its_doorways_its_report_and_its_data_card():
    """Each by a badge that says how it went, and by no path of the machine."""
    written = index([Run.model_validate(record(3))], 1, 1)

    assert '<a class="word odd" href="./runs/3/raw.html">raw: 2 set aside</a>' in written
    assert '<a class="word good" href="./triage-1.html">accepted</a>' in written
    assert 'href="./datasets/1/card.html"' in written
    assert 'href="./datasets/1/croissant.json"' in written
    assert "triage version 3" in written
    assert "support_triage" in written
    assert "somewhere" not in written
    assert "3\u202fmin 7\u202fs" in written
    assert "2026-12-04 06:59 UTC" in written


def test_a_run_without_a_verdict_says_where_it_stopped_and_why():
    """A failure is filed beside the successes."""
    written = index([Run.model_validate(record(3, None))], 1, 1)

    assert '<span class="word bad">stopped at validate-redacted</span>' in written
    assert "ExpectationError: found less." in written
    bare = index([Run(run="1")], 1, 1)
    assert '<span class="word bad">stopped</span>' in bare
    assert "It is not known why." in bare


def test_the_summary_counts_the_last_twenty_runs():
    """Shares, the checks that fail most often, and waivers that end soon after the last run."""
    written = index(runs(30), 1, 1)
    summary = re.sub(
        r"[ \n]+", " ", re.sub(r"<[^>]+>", " ", written[written.index("<dl") : written.index("</header>")])
    )

    assert "Accepted 40\u202f% 8 of the last 20; 4 refused, 4 inconclusive, 4 stopped" in summary
    assert "RAW-001 the most often: in 20 of the last 20 runs" in summary
    assert re.search(r"RAW-002 raw 10 ", summary)
    assert "RAW-003 raw" not in summary
    assert "Waivers in force 2" in summary
    assert "1 ends by 2026-12-16" in summary
    assert "RAW-003 until 2026-12-10 ends soon jane@acme.example answers for it" in summary
    assert "RAW-004 until 2027-12-10 sam@acme.example" in summary
    assert "RAW-005" not in summary


def test_a_full_page_never_changes_again():
    """Pages are counted from the oldest, and what they link was there before."""
    before, after = pages(runs(RUNS_A_PAGE + 5)), pages(runs(3 * RUNS_A_PAGE + 7))

    assert list(before) == ["index.html", "runs-1.html"]
    assert list(after) == ["index.html", "runs-3.html", "runs-2.html", "runs-1.html"]
    assert after["runs-1.html"] == before["runs-1.html"]
    assert after["runs-2.html"] == pages(runs(2 * RUNS_A_PAGE + 1))["runs-2.html"]
    for name, written in after.items():
        links = {value for tag, key, value in parsed(written).attributes if (tag, key) == ("a", "href")}
        assert {link[2:] for link in links if re.match(r"\./(index|runs-)", link)} <= set(after), name
    assert {f"./runs-{page}.html" for page in (1, 2, 3)} <= set(re.findall(r'href="([^"]+)"', after["index.html"]))
    shown = [run for written in after.values() for run in re.findall(r"<small>(\w{8})</small></th>", written)]
    assert len(shown) == len(set(shown)) == 3 * RUNS_A_PAGE + 7


def test_a_new_page_with_one_run_still_looks_back_twenty():
    """The summary is about runs, not about pages."""
    assert "of the last 20;" in pages(runs(RUNS_A_PAGE + 1))["index.html"]


def measured(number: int, page: str | None = None, **changed: object) -> dict[str, object]:
    """A run that measured its redaction, as it is filed: with more leaks, the higher its number."""
    found = Masked.model_validate(measurements.redacting(leaks=number) if number < 20 else measurements.refused())
    return record(number, redaction=found.model_copy(update={"page": page}).model_dump(mode="json"), **changed)


def test_a_run_says_how_much_of_personal_data_is_left_at_most():
    """A badge with the bound, its limit and a word, linked to the page; a dash where nobody measured."""
    filed = [measured(21), measured(5, "runs/5/redaction.html"), record(1)]
    written = index([Run.model_validate(each) for each in filed], 1, 1)
    cells = re.findall(r'<td role="cell" data-label="Personal data left"><span>(.*?)</span></td>', written, re.DOTALL)

    assert '<span class="word bad">at most 11.1\u202f%</span>' in cells[0]
    assert "<small>stopped, limit 5\u202f%</small>" in cells[0]
    assert '<a class="word good" href="./runs/5/redaction.html">at most 2.2\u202f%</a>' in cells[1]
    assert "<small>passed, limit 5\u202f%</small>" in cells[1]
    assert cells[2].strip() == "\N{EN DASH}"


def test_the_summary_has_the_trend_of_each_recipe_s_bound_and_the_highest_on_top():
    """Of the runs that measured it, oldest first, against the limit of the last."""
    filed = [measured(5, recipe="/x/recipes/a"), measured(9, recipe="/x/recipes/b"), measured(1, recipe="/x/recipes/a")]
    written = index([Run.model_validate(each) for each in filed], 1, 1)
    summary = written[: written.index("</header>")]

    assert "at most 3.2\u202f% <small>limit 5\u202f%; the highest of 2 recipes" in summary
    assert "Records that leak at most, in the last 2 runs, oldest first: 0.96\u202f%, 2.2\u202f%" in summary
    assert summary.count('class="limit"') == 2
    assert "Personal data left" not in index([Run.model_validate(record(1))], 1, 1).split("</header>")[0]


PRICE = {"device_hour": 2.5, "currency": "EUR", "as_of": "2026-11-01"}


def costly(number: int, *trained: str, price: dict[str, object] | None = None) -> Run:
    """A run whose candidate took two hours, and each of its trainings with other seeds one more."""
    steps = [{"task": "train", "state": state} for state in trained]
    repeats = len(trained) - 1
    cost = {
        "tokens": 1, "seconds": 7200, "devices": 1, "device_hours": 2.0, "price": price, "repeats": repeats,
        "repeats_device_hours": float(repeats),
    }  # fmt: skip
    return Run.model_validate(record(number, steps=steps, cost=cost))


def swept(number: int, **changed: object) -> Sweep:
    """A sweep as it is filed."""
    filed = {
        "run": f"{number:08x}-1111", "ended": "2026-12-04T08:00:00+00:00", "recipe": "/x/recipes/triage",
        "grid": {"training.rank": [8, 16]}, "points": 2, "failed": 1, "best": {"training.rank": 8},
        "sentence": "It leads.", "device_hours": 1.0, "price": PRICE, "page": f"sweeps/{number}.html",
    }  # fmt: skip
    return Sweep.model_validate(filed | changed)


def trainings(written: str) -> list[str]:
    """What stands in the column of costs, as text."""
    cells = re.findall(r'data-label="Training" class="number"><span>(.*?)</span></td>', written)
    return [re.sub(r"<[^>]+>", "", cell) for cell in cells]


def test_a_run_says_what_its_trainings_took_and_cost():
    """A price where the recipe names one; what the cache spared is said."""
    runs = [
        costly(4, "cached"), costly(3, "computed", price=PRICE), costly(2, "cached", "computed", price=PRICE),
        Run.model_validate(record(1)),
    ]  # fmt: skip

    said = trainings(index(runs, 1, 1))

    assert said == ["2.00 h cached", "2.00 h 5.00 EUR", "3.00 h 7.50 EUR partly cached", "\N{EN DASH}"]


def test_the_sum_counts_each_training_once_where_it_was_computed():
    """The winner of a sweep is taken from the cache by its run; hours without a price are told apart."""
    runs = [costly(3, "cached", price=PRICE), costly(2, "cached", "computed", price=PRICE), costly(1, "computed")]
    summary = index(runs, 1, 1, sweeps=[swept(1)]).split("</header>")[0]
    said = re.sub(r"[ \n]+", " ", re.sub(r"<[^>]+>", " ", summary))

    assert "Training 4.00 h of a device, 5.00 EUR, 2.00 h without a price; computed by 2 runs and 1 sweep" in said
    assert "of a device" not in index([Run.model_validate(record(1))], 1, 1)


def test_a_sweep_is_listed_with_its_page_or_why_there_is_none():
    """Below the runs, the newest twenty and the others folded away; no run is needed for it."""
    failed = {"points": None, "best": {}, "page": None, "device_hours": None, "error": "SourceError: gone."}
    written = index([], 1, 1, sweeps=[swept(2, **failed), *(swept(number) for number in range(SHOWN_SWEEPS))])
    first, _, folded = written.partition("<details>")

    assert '<a href="./sweeps/3.html">best: rank 8</a> <small>It leads.</small>' in written
    assert "rank 8 or 16 <small>2 trainings, of which 1 failed</small>" in written
    assert '<span class="word bad">stopped</span> <small>SourceError: gone.</small>' in written
    assert "No run is filed yet" in written
    assert (first.count("00000"), folded.count('data-label="Came of it"')) == (SHOWN_SWEEPS, 1)
    assert "sweeps/" not in pages(runs(RUNS_A_PAGE + 1))["runs-1.html"]


def test_decisions_and_comparisons_are_listed_with_their_page_or_why_there_is_none():
    """What was asked beside the runs is found from the same place."""
    filed = [
        Judged(
            run="d1", kind="decision", recipe="r/recipe.yaml", sentence="Do not fine-tune.", page="decisions/d.html"
        ),
        Judged(run="c1", kind="comparison", error="RegistryError: gone."),
    ]
    written = index([], 1, 1, judged=filed)

    assert 'decisions/d.html">decision</a>' in written
    assert "Do not fine-tune." in written
    assert "<small>RegistryError: gone.</small>" in written
    assert "Decisions and comparisons" not in index([], 1, 1)


def test_no_run_is_a_page_too():
    """It says what makes one."""
    assert "No run is filed yet" in pages([])["index.html"]


def test_a_record_from_before_doorways_were_filed_is_listed():
    """What is not in it is a dash."""
    old = {key: value for key, value in record(1).items() if key not in {"validations", "dataset", "wall_seconds"}}
    written = index([Run.model_validate(old)], 1, 1)

    assert "accepted" in written
    assert "none <small>in the last 1 run</small>" in written


def test_markup_in_any_text_is_shown_and_not_obeyed():
    """Recipes, errors and waivers are written by others."""
    found = record(1)["validations"][0] | {
        "doorway": MARKUP, "suite": MARKUP, "page": MARKUP,
        "checks": [{"id": MARKUP, "evaluated": 1, "failed": 1, "status": "failed"}],
        "waivers": [{"check": MARKUP, "who": MARKUP, "until": MARKUP, "in_force": True}],
    }  # fmt: skip
    dirty = {"run": MARKUP, "started": MARKUP, "recipe": MARKUP, "validations": [found], "report": MARKUP}
    linked = {"model": MARKUP, "version": MARKUP, "sentence": MARKUP, "pages": {"report": MARKUP}}
    kept = measurements.given() | {"page": MARKUP, "reasons": [MARKUP]}
    data = {"redaction": kept, "dataset": {"version": MARKUP, "page": MARKUP, "croissant": MARKUP}}
    stopped = {"verdict": None, "error": MARKUP, "steps": [{"task": MARKUP, "state": "failed"}]}
    shown = [Run.model_validate(record(1) | dirty | linked | data), Run.model_validate(dirty | stopped)]
    tried = {"run": MARKUP, "ended": MARKUP, "recipe": MARKUP, "grid": {MARKUP: [MARKUP]}, "best": {MARKUP: MARKUP}}
    found_best = swept(1, **tried, sentence=MARKUP, page=MARKUP, price=PRICE | {"currency": MARKUP})
    written = index(shown, 1, 1, sweeps=[found_best, swept(1, **tried, error=MARKUP)])
    tags = parsed(written)

    assert "<img" not in written
    assert "&lt;img src=x" in written
    assert not [name for _, name, _ in tags.attributes if name.startswith("on")]
    assert not [value for _, name, value in tags.attributes if name == "href" and not value.startswith(("#", "./"))]


def test_equal_runs_give_equal_bytes():
    """Whenever the page is made: it reads no clock."""
    assert pages(runs(120)) == pages(runs(120))
