"""The words of the starter's little world: people, things, numbers and small sentences."""

from __future__ import annotations

# fmt: off
GIRLS = (
    "Jane", "Mary", "Anna", "Lucy", "Emma", "Rose", "Nina", "Clara",
    "Ella", "Sara", "Ruth", "Grace", "Alice", "Julia", "Maya", "Zoe",
)
BOYS = (
    "Tom", "Ben", "Charlie", "Jack", "Paul", "Max", "Leo", "Oscar",
    "Sam", "Peter", "Hugo", "Finn", "Adam", "Luke", "Noah", "Karl",
)
NAMES = GIRLS + BOYS

NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen", "twenty",
)
# fmt: on

FOOD = {
    "apples": "apple",
    "pears": "pear",
    "plums": "plum",
    "eggs": "egg",
    "cookies": "cookie",
    "cakes": "cake",
    "nuts": "nut",
    "cherries": "cherry",
    "lemons": "lemon",
    "buns": "bun",
}
THINGS = {
    "pens": "pen",
    "books": "book",
    "balls": "ball",
    "cups": "cup",
    "coins": "coin",
    "stamps": "stamp",
    "shells": "shell",
    "stones": "stone",
    "keys": "key",
    "buttons": "button",
    "cards": "card",
    "toys": "toy",
    "marbles": "marble",
    "beads": "bead",
    "bells": "bell",
    "kites": "kite",
}
SINGULAR = {**FOOD, **THINGS}
PLURALS = tuple(SINGULAR)

PLACES = (
    "kitchen",
    "garden",
    "school",
    "park",
    "shop",
    "barn",
    "attic",
    "hall",
    "office",
    "library",
)
COLOURS = ("red", "blue", "green", "yellow", "black", "white", "brown", "pink")
MOODS = ("happy", "sad", "tired", "hungry", "quiet", "proud", "sleepy", "angry")
WEATHERS = ("warm", "cold", "grey", "bright", "dark", "windy", "wet", "calm")
ANIMALS = ("dog", "cat", "horse", "bird", "fox", "rabbit", "goat", "duck")
JOBS = ("baker", "farmer", "doctor", "painter", "sailor", "teacher", "singer", "pilot")

# A sentence that has no right ending: what it begins with, and the words it may end with.
# {p} is a person, {her} and {Her} go with that person.
OPEN_FRAMES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("{Her} hat is", COLOURS),
    ("{p} is wearing something", COLOURS),
    ("The house of {p} is", COLOURS),
    ("Today {p} is", MOODS),
    ("In the evening {p} was", MOODS),
    ("The day was", WEATHERS),
    ("In the morning the wind was", WEATHERS),
    ("{p} dreamed of a", ANIMALS),
    ("{p} saw a", ANIMALS),
    ("{Her} friend wants a", ANIMALS),
    ("{p} wants to be a", JOBS),
    ("The mother of {p} is a", JOBS),
    ("{p} walked to the", PLACES),
    ("{p} likes the", PLACES),
    ("The door of {p} has the number", NUMBERS[1:]),
    ("{p} thinks of the number", NUMBERS[1:]),
)


def pronoun(name: str) -> str:
    """The word that says whose something is: "her" or "his"."""
    return "her" if name in GIRLS else "his"


def amount(number: int, plural: str) -> str:
    """A number with its thing in the right form: "one apple", "two apples"."""
    return f"{NUMBERS[number]} {SINGULAR[plural] if number == 1 else plural}"


def fill(frame: str, name: str) -> str:
    """A frame with a person's name and pronoun put in."""
    her = pronoun(name)
    return frame.format(p=name, her=her, Her=her.capitalize())
