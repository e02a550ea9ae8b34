"""The kinds of pictures there are: what may be in each, in which colours and manners."""

from dataclasses import dataclass

COLORS = ("red", "blue", "green", "yellow", "white", "black", "violet", "orange")
ROBES = ("blue", "blue", "red", "green", "violet", "white")
SITTERS = ("old man", "old woman", "young man", "young woman", "boy", "girl")
WOMEN = ("old woman", "young woman", "girl")
HEADGEAR = ("", "", "hat", "cap", "veil")
WORN = ("coat", "hat", "cap", "veil", "robe")
FIGURES = ("portrait", "reading")  # settings with one sitter, whose face shows the mood
FRUIT = ("apple", "pear", "orange", "lemon", "bunch of grapes")
OWN_COLORS: dict[str, tuple[str, ...]] = {
    "sailing boat": ("white", "white", "red", "orange", "blue", "yellow"),
    "vase": ("red", "white", "yellow", "violet", "blue", "orange"),
    "apple": ("red", "green", "yellow"),
    "bunch of grapes": ("green", "violet"),
    "book": ("red", "blue", "green"),
    "walker": ("red", "blue", "white", "yellow"),
    "cow": ("white", "black", "brown"),
    "horse": ("white", "black", "brown"),
    "dog": ("white", "black", "brown"),
    "bird": ("red", "blue", "yellow", "white", "black"),
}


@dataclass(frozen=True)
class Place:
    """A kind of picture: what may be in the middle of it, and what beside it."""

    main: tuple[tuple[str, int, int], ...]  # (thing, at least, at most)
    beside: tuple[str, ...] = ("",)
    indoors: bool = False


PLACES = {
    "open sea": Place(
        main=(("sailing boat", 1, 5), ("rowing boat", 1, 3), ("ship", 1, 3), ("steamship", 1, 2)),
        beside=("", "", "lighthouse", "flock of birds"),
    ),
    "river": Place(
        main=(("bridge", 1, 1),),
        beside=("", "rowing boat", "cottage", "tree", "church", "walker"),
    ),
    "meadow": Place(
        main=(("sheep", 2, 6), ("cow", 1, 4), ("walker", 1, 3), ("horse", 1, 3), ("dog", 1, 3)),
        beside=("", "church", "windmill", "cottage", "tree", "cypress"),
    ),
    "hills": Place(
        main=(("tree", 1, 4), ("cypress", 2, 6), ("cottage", 1, 3), ("windmill", 1, 2),
              ("church", 1, 1)),
        beside=("", "", "church", "flock of birds", "walker"),
    ),
    "forest": Place(
        main=(("fir", 3, 6), ("tree", 3, 5)),
        beside=("", "walker", "dog", "horse", "cottage"),
    ),
    "mountains": Place(
        main=(("mountain", 1, 3),),
        beside=("", "cottage", "flock of birds", "fir", "walker"),
    ),
    "mountain lake": Place(
        main=(("rowing boat", 1, 3), ("sailing boat", 1, 3), ("fir", 3, 6)),
        beside=("", "cottage", "church", "fir"),
    ),
    "village": Place(
        main=(("house", 3, 6), ("cottage", 3, 4)),
        beside=("church", "tree", "walker", "dog"),
    ),
    "branch": Place(main=(("bird", 1, 4),)),
    "table": Place(
        main=(("apple", 1, 6), ("pear", 1, 5), ("orange", 1, 5), ("lemon", 1, 5),
              ("bunch of grapes", 1, 2), ("vase", 1, 1)),
        beside=("", "jug", "bottle", "candle", "vase", "book"),
        indoors=True,
    ),
    "portrait": Place(main=tuple((sitter, 1, 1) for sitter in SITTERS), indoors=True),
    "reading": Place(main=tuple((sitter, 1, 1) for sitter in SITTERS), indoors=True),
    "icon": Place(main=(("saint", 1, 3),), indoors=True),
}  # fmt: skip
SETTINGS = ("open sea", "open sea", "open sea", "river", "meadow", "meadow", "hills", "hills",
            "forest", "mountains", "mountain lake", "village", "branch", "table", "table", "table",
            "portrait", "portrait", "portrait", "reading", "reading", "icon")  # fmt: skip

MANNERS = {  # by setting; "outdoors" for all that is not named
    "outdoors": ("oil", "oil", "impressionist", "impressionist", "pointillist", "woodcut",
                 "watercolour", "ink", "pastel", "engraving", "poster"),
    "branch": ("woodcut", "woodcut", "ink", "ink", "watercolour", "poster", "oil"),
    "table": ("oil", "impressionist", "pointillist", "watercolour", "pastel", "engraving",
              "chiaroscuro", "poster", "woodcut"),
    "portrait": ("oil", "oil", "impressionist", "pointillist", "woodcut", "watercolour", "ink",
                 "pastel", "engraving", "chiaroscuro", "poster"),
    "reading": ("oil", "impressionist", "watercolour", "pastel", "engraving", "poster"),
    "candlelight": ("chiaroscuro", "chiaroscuro", "chiaroscuro", "oil", "oil", "pastel",
                    "engraving", "impressionist"),
    "icon": ("icon",),
}  # fmt: skip
