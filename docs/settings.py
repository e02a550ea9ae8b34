"""Write what the code knows of its settings: `python docs/settings.py`.

docs/settings.md   a table of all of them, with their defaults and what each profile sets
.env.example       the same to copy
"""

import textwrap
import tomllib
from collections.abc import Iterable
from pathlib import Path

from retrievals_serving.settings import PROFILES, Settings, profile_names

ROOT = Path(__file__).parents[1]
HOME = {"home": ".retrievals/<profile>"}  # whose default is made of another setting

INTRODUCTION = """# Settings

Every setting is an environment variable. The environment wins over `.env` in the current folder,
and that over the profile, which `RETRIEVALS_PROFILE` names. An empty variable counts as not set.
`retrievals doctor` reports variables that nothing reads. Another number of shards in the same home
fetches and embeds everything again.

Written by `python docs/settings.py`.
"""
EXAMPLE = """\
# Copy to `.env` and uncomment what you change. The environment wins over this file, and this
# file over the profile. Each line shows the value where nothing sets another.
# Written by `python docs/settings.py`.
"""


def main() -> None:
    """Write both files."""
    (ROOT / "docs" / "settings.md").write_text(table(), encoding="utf-8")
    (ROOT / ".env.example").write_text(example(), encoding="utf-8")


def table() -> str:
    """Return `docs/settings.md`."""
    profiles = {
        name: tomllib.loads((PROFILES / f"{name}.toml").read_text(encoding="utf-8"))
        for name in profile_names()
    }
    head = ["variable", "default", *(f"profile `{name}`" for name in profiles), "what it is"]
    lines = [INTRODUCTION, row(head), row("---" for _ in head)]
    for name, field in Settings.model_fields.items():
        values = (code(profile.get(name)) for profile in profiles.values())
        default = code(HOME.get(name, field.default))
        lines.append(
            row([f"`{Settings.variable(name)}`", default, *values, field.description or ""])
        )
    return "\n".join(lines) + "\n"


def example() -> str:
    """Return `.env.example`."""
    lines = [EXAMPLE]
    for name, field in Settings.model_fields.items():
        default = HOME.get(name, field.default)
        lines += textwrap.wrap(
            field.description or "", 98, initial_indent="# ", subsequent_indent="# "
        )
        lines += [f"#{Settings.variable(name)}={'' if default is None else default}", ""]
    return "\n".join(lines).rstrip() + "\n"


def code(value: object) -> str:
    """Return a value as code, and nothing for none."""
    return "" if value is None else f"`{value}`"


def row(cells: Iterable[str]) -> str:
    """Return a row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
