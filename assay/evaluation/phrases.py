"""Phrases: what a text can say otherwise without saying something else, for :mod:`assay.evaluation.variants`.

Only words that carry a sentence are here: contractions, polite frames, greetings, connectives. Nothing that says what
is wanted, how urgently, by when or how angry somebody is. All of it was written for this file. English only.
"""

RULES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"I am(?!\s*[.,;:!?]|$)", ("I'm",)),
    (r"I'm", ("I am",)),
    (r"I have(?= (?:been|bought|tried|asked|received|written|moved|read|seen|changed|sent|got)\b)", ("I've",)),
    (r"I've", ("I have",)),
    (r"I'd like", ("I would like", "I should like")),
    (r"I would like to", ("I'd like to", "I should like to")),
    (r"I want to", ("I would like to", "I wish to")),
    (r"do not", ("don't",)),
    (r"don't", ("do not",)),
    (r"does not", ("doesn't",)),
    (r"doesn't", ("does not",)),
    (r"did not", ("didn't",)),
    (r"didn't", ("did not",)),
    (r"is not", ("isn't",)),
    (r"isn't", ("is not",)),
    (r"are not", ("aren't",)),
    (r"was not", ("wasn't",)),
    (r"wasn't", ("was not",)),
    (r"has not", ("hasn't",)),
    (r"hasn't", ("has not",)),
    (r"have not", ("haven't",)),
    (r"haven't", ("have not",)),
    (r"cannot|can not", ("can't",)),
    (r"can't", ("cannot",)),
    (r"will not", ("won't",)),
    (r"won't", ("will not",)),
    (r"would not", ("wouldn't",)),
    (r"it is(?!\s*[.,;:!?]|$)", ("it's",)),
    (r"it's", ("it is",)),
    (r"that is(?!\s*[.,;:!?]|$)", ("that's",)),
    (r"there is(?!\s*[.,;:!?]|$)", ("there's",)),
    (r"we are(?!\s*[.,;:!?]|$)", ("we're",)),
    (r"you are(?!\s*[.,;:!?]|$)", ("you're",)),
    (r"could you please|can you please|would you please", ("would you kindly", "please could you")),
    (r"could you", ("would you be able to", "can you")),
    (r"can you", ("could you", "are you able to")),
    (r"please", ("kindly",)),
    (r"kindly", ("please",)),
    (r"is it possible to", ("would it be possible to", "can one")),
    (r"is there a way to", ("is it possible to", "would it be possible to")),
    (r"how do I", ("how can I", "what do I do to")),
    (r"how can I", ("how do I",)),
    (r"because(?! of)", ("since", "as")),
    (r"however", ("still", "even so")),
    (r"although", ("though", "even though")),
    (r"about it", ("about this", "on that subject")),
    (r"regarding|concerning", ("about", "with regard to")),
    (r"in order to", ("to", "so as to")),
    (r"tell me", ("let me know",)),
    (r"let me know", ("tell me",)),
    (r"perhaps", ("maybe",)),
    (r"maybe", ("perhaps",)),
    (r"a few", ("some", "several")),
    (r"bought", ("purchased",)),
    (r"purchased", ("bought",)),
    (r"begin", ("start",)),
    (r"help me", ("assist me",)),
    (r"thank you(?: very much)?|(?:many )?thanks", ("many thanks", "thank you very much")),
)
"""What stands as whole words, in any case, and what may stand for it."""

OPENINGS = ("Hello,", "Hello there,", "Good day,", "Dear all,", "Hi,")
"""A greeting at the beginning of a text is exchanged for another one, or one is put there."""

FRAMES = (
    "I hope this message finds you well.",
    "I hope you do not mind me writing to you.",
    "I am writing to you with the following.",
    "Here is what I wanted to say.",
    "I have something to raise with you.",
)
"""A polite sentence that asks for nothing."""

CLOSINGS = (
    "Thank you for reading this.",
    "Thank you very much.",
    "With many thanks.",
    "Thanks for your attention.",
    "I appreciate it.",
)

GREETED = r"\s*(?:hello|hi|hey|good (?:morning|afternoon|evening|day)|morning|evening|afternoon|greetings|dear)\b"
"""How a text begins that has a greeting of its own."""

GREETING = GREETED + r"[^\W\d_ \n]*(?: [^\W\d_ \n]+){0,5}[,!.]"
"""A greeting that can be exchanged: a few words and a mark."""

EXCHANGES = (
    """On an earlier day you wrote:
> Thank you for your interest in our reading circle. We meet in the small hall behind the library, where the chairs are
> old but the tea is hot. Nobody has to speak, and nobody has to have finished the book. Last time we talked about a
> novel in which a lighthouse keeper learns to bake bread, and half of us liked the bread better than the keeper.
>
> I answered then:
>> That sounds just right for me. I read slowly, mostly on the train, and I often forget who is whose cousin. My
>> neighbour will come along as well; she has read everything twice and disagrees with most of it. We shall bring a
>> plum cake. Could somebody leave the side door open, since the front door sticks when the weather is damp?
>
> Of course, we shall. The circle is looking forward to the cake, and to the disagreement.""",
    """Below is what was said before, on something else:
> Dear walkers, the path along the river is dry again and the footbridge has new boards. We propose to set out from the
> old mill after breakfast, to rest by the chapel, and to come back through the beech wood, where the first leaves are
> turning. There is a steep part, but it is short, and there is a bench at the top from which one sees both valleys.
>
>> Thank you for the plan. We shall be five, with a dog who is afraid of bridges. In case of fog we would rather take
>> the lower road, which is dull but safe. One of us plays the flute and may bring it along, if nobody minds.
>
> Nobody minds at all. The dog can be carried across; it has been done before with a larger one. Please wear shoes that
> can get wet, as the meadow by the chapel holds water longer than one would think.""",
    """For the sake of order, here is our last exchange, which was about the choir:
> The rehearsal will be in the school as always. We begin with the two short pieces, so that those who come late miss
> only what they know. The long piece needs work in the middle, where the altos have been asked to breathe less and the
> basses to breathe at all. Chairs are stacked at the back; the last to leave puts out the light.
>
>> Understood. I shall miss the first half, because my sister is visiting and wants to see the botanical garden. May I
>> borrow the score over the weekend? Mine has lost its last pages, and I have been humming the ending for a month.
>
> The score is in the cupboard under the window, behind the tambourines. Hum as you like, but bring it back, since the
> tenors have only one between them and they are not on good terms.""",
)
"""Earlier exchanges of some 150 words that have nothing to do with anything."""

KEYS = {
    "a": "qsz", "b": "vgn", "c": "xdv", "d": "sfe", "e": "wrd", "f": "dgr", "g": "fht", "h": "gjy", "i": "uok",
    "j": "hku", "k": "jli", "l": "ko", "m": "nk", "n": "bmh", "o": "ipl", "p": "ol", "q": "wa", "r": "etf",
    "s": "adw", "t": "ryg", "u": "yij", "v": "cbf", "w": "qes", "x": "zcs", "y": "tuh", "z": "xa",
}  # fmt: skip
"""Neighbours on a QWERTY keyboard."""
