"""Writes prompts for replay: `python -m bench.generate_general_prompts --out FILE [--seed 5]`.

Each kind of prompt is a way of asking and a list of what to ask about, all written for this file. The seed draws
which goes with which, and the order: any prefix of the file holds the kinds in proportion. Answers are meant to be
short, so that most of them end before a limit of about a hundred tokens.
"""

import argparse
import json
import pathlib
import random
from collections.abc import Iterator

PER_KIND = 14

EXPLAIN = (
    ("Explain in one sentence why {}.", "Tell me in two short sentences why {}."),
    """ice floats on water|leaves change colour in autumn|bread rises in the oven|cats purr|the moon has phases
    we yawn|onions make us cry|metal feels colder than wood|stars twinkle|rain smells fresh|bees visit flowers
    a kettle whistles|shadows grow long in the evening|salt melts ice on a path|a mirror shows a reversed image""",
)
DEFINE = (
    ('What does the word "{}" mean? Answer in one sentence.', "Define {} for a child of ten, in one sentence."),
    """harvest|patience|gravity|compromise|orchestra|budget|curiosity|erosion|rumour|horizon|recycling|habit
    translation|friendship|evidence""",
)
LISTS = (
    ("List three {}.", "Name four {}, separated by commas.", "Give me three {} as a numbered list."),
    """things to pack for a day at the beach|fruits that grow on trees|ways to save electricity at home
    animals that sleep in winter|musical instruments with strings|games for a rainy afternoon
    words that rhyme with light|vegetables that grow under the ground|jobs that are done outdoors
    uses for an empty jar|materials a chair can be made of
    sports that need a ball|things found in a kitchen drawer|shades of blue|reasons to keep a diary""",
)
REWRITE = (
    (
        "Rewrite this sentence so that it is more polite: {}",
        "Say this in simpler words: {}",
        "Turn this sentence into a question: {}",
        "Put this sentence into the past tense: {}",
    ),
    """The office is open from Monday to Thursday.|You must bring the book back before Friday.
    The committee commences its deliberations at noon.|Your bicycle stands in the way.
    The train leaves from the second platform.|I walk to the market and buy fresh bread.
    Nobody told me about the change of plan.|She waters the garden every evening.
    The meeting takes too long and helps no one.|We require your signature prior to departure.
    It is cold because you opened the window.|He writes a letter to his old school.
    The children build a tower of stones.|The soup needs more salt.
    You have to wait outside until we call you.""",
)
STORY = (
    (
        "Continue this story with one or two sentences: {}",
        "Write the last sentence of this story: {}",
        "What happens next? Answer in two sentences. {}",
    ),
    """The lighthouse keeper heard a knock, although no boat had landed for a week.
    A small robot woke up in an empty library.|The old clock in the hall began to run backwards.
    On the first day of snow, the fox found a red mitten.|The baker opened the oven and it was full of stars.
    Every night the paper boat sailed a little further across the pond.|The map had a door drawn in one corner.
    The last bus of the evening stopped where there was no stop.|A sparrow moved into the letter box.
    The painter mixed a colour that nobody had seen before.|Under the bridge lived a dragon the size of a mouse.
    The gardener planted a button, just to see.|The elevator had a button for a floor that did not exist.
    When the music stopped, one dancer went on.|The snowman asked for a cup of tea.""",
)
SMALL_TALK = (
    ("{}",),
    """Hello! How are you today?|Good morning! What can you help me with?|Thank you, that was very helpful.
    I am a bit tired this afternoon.|What is your favourite season, and why?|It has been raining all day here.
    I finally finished the book I was reading.|Do you like music?|I am going to bake a cake this evening.
    Wish me luck, I have a test tomorrow.|Tell me a short joke.|What should I do on a quiet Sunday?
    I planted tomatoes on my balcony.|Good night! See you tomorrow.|Can you cheer me up with one sentence?""",
)
SUMMARY = (
    (
        "Summarise this text in one sentence: {}",
        "What is this text about? Answer in a few words. {}",
        "Give this text a short title: {}",
    ),
    """The village pond was dry for years. Last spring neighbours dug it out, planted reeds and led a brook into it.
    Now frogs and ducks are back, and children come after school to watch them.
    |A new bakery opened beside the station. It sells rye bread and plum cake, and it closes when everything is
    sold. On most days that is before noon.
    |The museum moved its clocks to a cooler room. Wood shrinks in dry heat, and two of the oldest cases had
    cracked. Visitors can see them again from autumn on.
    |Owls fly almost without a sound. The edge of each feather is soft and breaks up the rush of air, so a mouse
    hears nothing until it is too late.
    |The bridge was closed for a month. Workers changed its bolts one by one and painted the rails green. Cyclists
    had to take the long way round.
    |Our choir has forty members but only three tenors. We sing on Wednesdays in the school hall, and no one has to
    read music to join.
    |The first winter was hard for the orchard. Frost killed half of the young trees. The owners wrapped the others
    in straw, and in May they were in blossom.
    |A library on wheels visits the hills once a week. It carries two thousand books and a kettle. For some readers
    it is the only visitor they have.
    |The lake is clear because mussels filter it. Each of them cleans a bucket of water a day. When the water grew
    too warm for them, it turned green.
    |Paper was once made of old cloth. Rag collectors went from door to door, and mills beat the rags to a pulp.
    Wood took their place when cloth ran short.
    |The school garden grows beans, pumpkins and herbs. Each class looks after one bed. What is left over in summer
    goes to the kitchen of the hospital.
    |The ferry runs every hour except in fog. Its captain listens to the buoys and waits. Passengers complain, but
    in thirty years there was no accident.""",
)
FORMATS = (
    ("{}",),
    """Write a shopping list for pancakes, one item per line.|Answer with yes or no only: is a whale a fish?
    Write the days of the weekend as a JSON array.|Write a haiku about fog.|Write a two-line poem about a candle.
    Reply in capital letters: where does the sun rise?|Make a table with two columns, animal and sound, and three rows.
    Write a short note that says the lift is out of order.|Write the steps for making tea as a numbered list.
    Answer in exactly three words: what is snow?|Write the subject line of an e-mail about a lost umbrella.
    Write a JSON object with the keys colour and shape for a ripe lemon.
    Write an advertisement for a pencil in one line.
    Write a question and its answer about volcanoes.|Spell the word necessary with a dash between letters.""",
)
ADVICE = (
    ("Give me one tip on {}.", "In one or two sentences: what helps with {}?"),
    """learning new words|keeping a desk tidy|falling asleep|speaking in front of a group|starting to run
    cooking for one person|remembering appointments|growing herbs indoors|writing a thank-you card
    taking better photographs|packing a small suitcase|saving a little money every month|making friends in a new town
    reading a long book|sharing a flat""",
)
COMPARE = (
    ("What is the difference between {}? Answer in two sentences.", "Compare {} in one sentence."),
    """a river and a canal|a novel and a poem|coffee and tea|butter and oil|a bicycle and a bus|a hill and a mountain
    a frog and a toad|a violin and a guitar|ink and paint|a village and a town|wool and cotton|a job and a hobby
    a map and a photograph|steam and smoke|a cold and the flu""",
)
SORTING = (
    (
        "Which of these does not belong, and why? {}",
        "Use two of these words in one short sentence: {}",
        "Put these in alphabetical order: {}",
    ),
    """lamp, candle, torch, carpet|oak, birch, tulip, maple|flute, trumpet, drum, clarinet|spoon, fork, ladder, knife
    glove, scarf, hat, umbrella|wheat, rye, barley, honey|north, south, east, upward|inch, mile, gram, yard
    eagle, bat, sparrow, duck|pea, carrot, bean, lentil|river, lake, pond, desert|rook, bishop, queen, dice
    silk, linen, brick, velvet|square, circle, triangle, yellow|plum, pepper, cherry, peach""",
)

THINGS = ("apples", "marbles", "stamps", "chairs", "pencils", "eggs", "coins", "tickets", "shells", "plates")
NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
SUMS = (
    "There are {a} {thing} in one box and {b} in another. How many are there together?",
    "A shop had {b} {thing} and sold {a} of them today. Did it have more before or after?",
    "Each of {a} baskets holds {b} {thing}. How many {thing} are that?",
    "What is {a} plus {b}? Answer with one word.",
    "Which is more, {a} dozen {thing} or {b} dozen? Answer in one sentence.",
)

KINDS = {
    "explain": EXPLAIN,
    "define": DEFINE,
    "list": LISTS,
    "rewrite": REWRITE,
    "story": STORY,
    "small-talk": SMALL_TALK,
    "summary": SUMMARY,
    "format": FORMATS,
    "advice": ADVICE,
    "compare": COMPARE,
    "sorting": SORTING,
}


def prompts(seed: int) -> list[dict[str, str]]:
    """Every prompt, the same for the same seed, kinds in turn."""
    dice = random.Random(seed)
    made = {kind: list(_asked(*table, dice)) for kind, table in KINDS.items()} | {"sum": list(_sums(dice))}
    return [
        {"id": f"{kind}-{number + 1:03}", "prompt": texts[number]}
        for number in range(PER_KIND)
        for kind, texts in made.items()
        if number < len(texts)
    ]


def _asked(ways: tuple[str, ...], topics: str, dice: random.Random) -> Iterator[str]:
    """Ways of asking in turn, about topics in an order that is drawn."""
    # Topics are parted by bars or line ends; a text of several lines starts with a bar.
    parted = topics.split("\n    |") if "\n    |" in topics else topics.replace("\n", "|").split("|")
    drawn = [" ".join(topic.split()) for topic in parted]
    dice.shuffle(drawn)
    for number, topic in enumerate(drawn):
        yield ways[number % len(ways)].format(topic)


def _sums(dice: random.Random) -> Iterator[str]:
    """Arithmetic in words."""
    for number in range(PER_KIND):
        small, large = sorted(dice.sample(range(len(NUMBERS)), 2))
        asked = SUMS[number % len(SUMS)]
        yield asked.format(a=NUMBERS[small], b=NUMBERS[large], thing=THINGS[number % len(THINGS)])


def main() -> None:
    """Write the prompts and print how many there are."""
    parser = argparse.ArgumentParser(prog="python -m bench.generate_general_prompts", description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the JSON Lines file to write")
    parser.add_argument("--seed", type=int, default=5, help="seed of what is drawn")
    arguments = parser.parse_args()
    written = prompts(arguments.seed)
    lines = [json.dumps(prompt, ensure_ascii=False) + "\n" for prompt in written]
    arguments.out.write_text("".join(lines), encoding="utf-8", newline="\n")
    print(f"{len(written)} prompts of {len(KINDS) + 1} kinds")


if __name__ == "__main__":
    main()
