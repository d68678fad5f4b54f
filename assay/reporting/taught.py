"""Taught: all that a page says of training: what it shows, how far a seed moves it, and what it took."""

from dataclasses import dataclass

from assay.reporting import cost, learning, spread
from assay.reporting.content import Content

VERSION = 2


@dataclass(frozen=True, slots=True)
class Taught:
    """What a page says of training."""

    learning: learning.Learning
    seeds: list[spread.Seed]
    spread: list[str]
    """What the spread over seeds means, a sentence or two for each quantity; or that it is unknown."""

    metric: str | None
    """Of the task, that all seeds were measured by."""

    cost: cost.Cost
    worth: str
    saving: str


def shown(content: Content) -> Taught | None:
    """What a page says of the training in ``content``, or nothing where none belongs to it."""
    training, recipe = content.training, content.recipe
    if training is None:
        return None
    given, price = recipe.get("training"), recipe.get("price")
    how = given if isinstance(given, dict) else {}
    seed = how.get("seed")
    repeated = [repeat.training for repeat in content.repeats]
    trained = spread.seeds(training, seed if isinstance(seed, int) else None, content.repeats)
    common = spread.metric([training, *repeated])
    spreads = spread.spreads(trained, common)
    spent = cost.cost(training, repeated, cost.Price.model_validate(price) if price else None)
    own = {"held_out_loss": trained[0].held_out_loss, common: trained[0].score}
    return Taught(
        learning=learning.shown(training, how, spread.metric([training])),
        seeds=trained,
        spread=[
            *([spread.said(each, own[each.metric]) for each in spreads] or [spread.unknown(trained)]),
            *spread.missing(recipe.get("repeat_seeds"), [repeat.seed for repeat in content.repeats]),
        ],
        metric=common,
        cost=spent,
        worth=cost.worth(spent),
        saving=cost.saving(spent, training, how),
    )
