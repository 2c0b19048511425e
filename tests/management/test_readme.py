"""The README's commands exist, and take the arguments they are shown with."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class

README = (Path(settings.BASE_DIR) / "README.md").read_text(encoding="utf-8")
SHOWN = [line.strip() for line in re.findall(r"\./run manage ([a-z][^`\n#]*)", README)]
#: started by `./run demo`, and by nobody else
INTERNAL = {"check_main_job", "demo"}


@pytest.mark.parametrize("line", SHOWN)
def test_a_command_takes_the_arguments_it_is_shown_with(line: str) -> None:
    name, *arguments = shlex.split(line)
    command = load_command_class(get_commands()[name], name)
    command.create_parser("manage.py", name).parse_args(arguments)


def test_every_command_is_named() -> None:
    own = {name for name, app in get_commands().items() if app == "contactsync"}
    named = set(re.findall(r"\b[a-z_]+\b", README))
    assert own - INTERNAL <= named
