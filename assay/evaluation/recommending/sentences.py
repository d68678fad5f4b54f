"""Sentences: each piece of advice as a reader is told it, with what speaks for it and what would change it."""

from collections.abc import Sequence
from dataclasses import dataclass

from assay.evaluation.holm import holm
from assay.evaluation.recommending.arms import Advice, Gap, Option, Pairs, Recommendation, Terms, Tested
from assay.evaluation.recommending.contests import best, break_even


@dataclass(frozen=True, slots=True)
class Advisor:
    """What was found, and how each piece of advice is said."""

    options: Sequence[Option]
    usable: Sequence[Option]
    gaps: Pairs
    terms: Terms
    tested: tuple[Tested, ...]
    out: tuple[str, ...]

    def nothing(self) -> Recommendation:
        """No arm can be used."""
        floor = _share(self.terms.min_format_adherence)
        closest = max(self.options, key=lambda option: option.format_upper)
        return self._made(
            "none",
            None,
            f"Neither: no arm keeps the form; the best of them, {closest.name}, does in at most "
            f"{_share(closest.format_upper)} of its answers, and {floor} was asked for.",
            ("Constrained decoding (`approaches.constrained: true`), a larger base, or a lower demand on the form.",),
        )

    def useless(self) -> Recommendation:
        """Only tuned arms keep the form, and they do so in vain."""
        chosen = best(self.usable)
        return self._made(
            "none",
            None,
            f"Neither: no prompted arm keeps the form, and the best tuned one, {chosen.name}, reaches at most "
            f"{_share(chosen.quality_upper)} {self.terms.metric}, which is no more than is worth having.",
            (*self._of_prompts(chosen), *self._of_examples()),
        )

    def tune(self, chosen: Option) -> Recommendation:
        """A tuned arm beats all prompted ones."""
        prompted = [option for option in self.usable if not option.tuned]
        if not prompted:
            floor = _share(self.terms.min_format_adherence)
            said = (
                f"Fine-tune: no prompted arm keeps the form in {floor} of its answers; "
                f"{chosen.name} is not ruled out by that, and reaches {_share(chosen.quality)} {self.terms.metric}."
            )
            return self._made("fine_tune", chosen, said, self._of_prompts(chosen))
        rival = best(prompted)
        gap = min((self.gaps[chosen.name, option.name] for option in prompted), key=lambda gap: gap.lower)
        said = (
            f"Fine-tune: {chosen.name} reaches {_share(chosen.quality)} {self.terms.metric} and the best prompted arm, "
            f"{rival.name}, {_share(rival.quality)}; it is better than every prompted arm{self._left()} by "
            f"more than {_points(self.terms.margin)} points ({_bounds(self.gaps[chosen.name, rival.name])})."
        )
        change = (
            f"A margin of more than {_points(gap.lower)} points: so much is shown against each prompted arm by itself.",
            *self._of_prompts(chosen),
            *self._of_price(chosen, rival),
        )
        return self._made("fine_tune", chosen, said, change)

    def tune_for_price(self, chosen: Option, tuned: Sequence[Option]) -> Recommendation | None:
        """Advice to tune an arm that is no better, if the volume repays it and it is shown to be no worse."""
        tuned = sorted(tuned, key=lambda option: option.seconds)
        gaps = [self.gaps[option.name, chosen.name] for option in tuned]
        safe = holm([gap.p_no_worse for gap in gaps])
        for option, p_value in zip(tuned, safe, strict=True):
            repaid = break_even(option, chosen, self.terms)
            if repaid and self.terms.volume and repaid < self.terms.volume and p_value < 1 - self.terms.confidence:
                said = (
                    f"Fine-tune, for the price: {option.name} is as good as {chosen.name} within "
                    f"{_points(self.terms.margin)} points, and of the {self.terms.volume:,} requests expected "
                    f"{repaid:,} repay its training."
                )
                change = (f"Fewer than {repaid:,} requests: then {chosen.name} is cheaper.", *self._of_prompts(option))
                return self._made("fine_tune", option, said, change)
        return None

    def prompt(self, chosen: Option) -> Recommendation:
        """No tuned arm beats a prompted one."""
        tuned = [option for option in self.usable if option.tuned]
        if not tuned:
            said = f"Do not fine-tune: {chosen.name} keeps the form, and no tuned arm does."
            return self._made("do_not_fine_tune", chosen, said, self._of_examples())
        rival = best(tuned)
        gap = self.gaps[rival.name, chosen.name]
        said = (
            f"Do not fine-tune: {chosen.name} reaches {_share(chosen.quality)} {self.terms.metric} and the best "
            f"tuned arm, {rival.name}, {_share(rival.quality)}; tuning gains no more than "
            f"{_points(self.terms.margin)} points ({_bounds(gap)})."
        )
        smaller = f"A margin of less than {_points(gap.upper)} points: a gain of that size is not ruled out."
        change = (
            *((smaller,) if gap.upper > 0 else ()),
            *self._of_examples(),
            *self._of_price(rival, chosen),
        )
        return self._made("do_not_fine_tune", chosen, said, change)

    def undecided(self, tuned: Option, prompted: Option) -> Recommendation:
        """The items cannot tell these two apart, on which the advice hangs; the next comparison needs about so many."""
        gap = self.gaps[tuned.name, prompted.name]
        how_many = f"about {gap.needed:,} would" if gap.needed else "no number would, if this estimate is the truth"
        margin, metric = _points(self.terms.margin), self.terms.metric
        said = (
            f"Undecided: {gap.n:,} records cannot tell whether {tuned.name} ({_share(tuned.quality)} {metric}) is more "
            f"than {margin} points better than {prompted.name} ({_share(prompted.quality)}); {how_many} "
            f"({_bounds(gap)})."
        )
        more = f"`approaches.records: {gap.needed}` decides, four times in five." if gap.needed else ""
        change = (*((more,) if more else ()), *self._of_examples(), *self._of_price(tuned, prompted))
        meanwhile = best([option for option in self.usable if not option.tuned])
        return self._made("undecided", meanwhile, said, change, gap.needed)

    def _made(
        self, advice: Advice, arm: Option | None, sentence: str, change: Sequence[str], needed: int | None = None
    ) -> Recommendation:
        return Recommendation(
            advice=advice,
            arm=arm.name if arm else None,
            sentence=sentence,
            evidence=tuple(self._evidence(arm)),
            would_change=tuple(change),
            needed=needed,
            tested=self.tested,
            ruled_out=self.out,
        )

    def _evidence(self, arm: Option | None) -> list[str]:
        alpha, margin = 1 - self.terms.confidence, _points(self.terms.margin)
        words = {True: f"better by more than {margin} points", False: f"not better by more than {margin} points"}
        said = []
        for each in self.tested:
            shown = True if each.p_better < alpha else False if each.p_no_better < alpha else None
            verdict = f"shown to be {words[shown]}" if shown is not None else "not told apart at the margin"
            p_value = each.p_no_better if shown is False else each.p_better
            said.append(
                f"{each.tuned} against {each.prompted}: {100 * each.mean:+.1f} points (at least "
                f"{100 * each.lower:+.1f}, at most {100 * each.upper:+.1f}): {verdict} (p = {p_value:.2g} after Holm)."
            )
        if self.out:
            floor = _share(self.terms.min_format_adherence)
            said.append(f"Ruled out, as their answers keep the form less often than {floor}: {', '.join(self.out)}.")
        if arm and arm.format_lower < self.terms.min_format_adherence:
            said.append(f"That {arm.name} keeps the form as often as asked is not shown, nor is it ruled out.")
        return said

    def _left(self) -> str:
        """Which prompted arms are spoken of, if some are out."""
        return " that keeps the form" if any(not each.tuned and each.name in self.out for each in self.options) else ""

    def _of_prompts(self, chosen: Option) -> tuple[str, ...]:
        said = ["A better prompt: these were not optimised, and a prompted arm is as good as its prompt."]
        bound = {option.name.removesuffix(", constrained") for option in self.options if option.name not in self.out}
        said += [
            f"The form: {each.name} reaches {_share(each.quality)} {self.terms.metric}, but its answers lack the form. "
            "Constrained decoding (`approaches.constrained: true`) would give it."
            for each in self.options
            if each.name in self.out
            and not each.tuned
            and each.quality > chosen.quality - self.terms.margin
            and each.name not in bound
        ]
        return tuple(said)

    def _of_examples(self) -> tuple[str, ...]:
        return {
            "pays": ("More examples: the learning curve says that they would still pay.",),
            "does_not_pay": ("Not more examples: the learning curve has gone flat.",),
            "cannot_tell": ("Perhaps more examples: the learning curve cannot tell.",),
            None: ("Perhaps more examples: `approaches.learning_curve: [0.25, 0.5]` would show whether they pay.",),
        }[self.terms.outlook]

    def _of_price(self, tuned: Option, prompted: Option) -> tuple[str, ...]:
        repaid = break_even(tuned, prompted, self.terms)
        if repaid is None:
            return (f"Not volume: a request costs no less with {tuned.name} than with {prompted.name}.",)
        return (f"Volume: {repaid:,} requests repay the training of {tuned.name} against {prompted.name}.",)


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _points(value: float) -> str:
    return f"{100 * value:.3g}"


def _bounds(gap: Gap) -> str:
    return f"by {100 * gap.mean:+.1f} points, at least {100 * gap.lower:+.1f}, at most {100 * gap.upper:+.1f}"
