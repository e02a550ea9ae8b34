"""Options of a benchmark that are whole numbers, and how they stand on a command line."""

import argparse
from collections.abc import Mapping, Sequence


def numbers(
    program: str, defaults: Mapping[str, int], arguments: Sequence[str]
) -> tuple[argparse.Namespace, str]:
    """Read `arguments`: return the numbers by name, and the command line that names them all."""
    parser = argparse.ArgumentParser(prog=program)
    for name, default in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    chosen = parser.parse_args(arguments)
    flags = " ".join(f"--{name} {value}" for name, value in vars(chosen).items())
    return chosen, f"{program} {flags}"
