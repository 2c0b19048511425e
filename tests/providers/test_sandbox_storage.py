"""Keeping what the sandbox holds in a file, and running it as a program."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from providers.sandbox import SandboxServer
from providers.sandbox.__main__ import main
from providers.sandbox.ippanel.records import Pattern
from tests.sandbox_fixtures import SandboxClient

KEY = "a-key-that-must-not-be-stored"


def fill(sandbox: SandboxServer) -> None:
    client = SandboxClient(sandbox)
    state = sandbox.state("ippanel")
    option = state.add_option("سن", "int")
    book = state.add_phonebook("خبرنامه", option_ids=[option.id])
    state.add_contact(book, "+989120000001", name="حسن", options={str(option.id): "15"})
    state.receive("+989120000007", "11")
    state.patterns["abc"] = Pattern("abc", "hello")
    state.quirks.add("options_need_title")
    body = {
        "sending_type": "webservice",
        "from_number": "+983000505",
        "message": "سلام",
        "params": {"recipients": ["+989120000001", "+989120000099"]},
    }
    assert client.call("POST", "/api/send", body).status == 200
    client.call("POST", "/api/phonebooks", {"colour": "red"})
    client.connection.close()
    sandbox.advance(100)


def test_everything_comes_back_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "held" / "sandbox.json"
    with SandboxServer(key=KEY, data=path) as sandbox:
        fill(sandbox)
        before = sandbox.state("ippanel").dump()
    assert KEY not in path.read_text(encoding="utf-8")
    with SandboxServer(key="another", data=path) as again:
        state = again.state("ippanel")
        assert state.dump() == before
        assert again.clock.offset == 100
        book = state.phonebook("خبرنامه")
        assert state.contact(book, "+989120000001").name == "حسن"
        assert state.add_contact(book, "+989120000002").id > max(book.contact_ids[:-1])
        client = SandboxClient(again)
        (row,) = client.call("POST", "/api/report/new_list", {}).data
        assert row["state_id"] == 6
        client.connection.close()
    assert [child.name for child in path.parent.iterdir()] == ["sandbox.json"]


@pytest.mark.parametrize("content", ["", "[]", '{"format": 99}', '{"format": 1}', '{"format": 1, "clock_offset": 0}'])
def test_a_file_that_is_not_its_own_stops_the_start(tmp_path: Path, content: str) -> None:
    path = tmp_path / "sandbox.json"
    path.write_text(content)
    with pytest.raises(ValueError, match="not a data file of this sandbox"):
        SandboxServer(key=KEY, data=path)
    assert path.read_text() == content


def test_the_program_names_a_file_it_cannot_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sandbox.json"
    path.write_text("{}")
    assert main(["--port", "0", "--data", str(path), "--key", KEY]) == 1
    assert "not a data file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--host", "0.0.0.0"], "listens on 127.0.0.1 only"),  # noqa: S104 - refused
        (["--port", "70000"], "--port must be"),
        (["--latency-ms", "-1"], "cannot be negative"),
        (["--maturity", "-1"], "cannot be negative"),
    ],
)
def test_the_program_refuses_bad_arguments(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--port", "0", *arguments])
    assert stopped.value.code == 2
    assert complaint in capsys.readouterr().err


def start(tmp_path: Path, *arguments: str) -> tuple[subprocess.Popen[str], int, str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "providers.sandbox", "--port", "0", "--data", str(tmp_path / "held.json"), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    lines = ""
    while "ippanel" not in lines:
        line = process.stdout.readline()
        assert line, "the sandbox did not start"
        lines += line
    found = re.search(r"ippanel: http://127\.0\.0\.1:(\d+)/ippanel/v1", lines)
    assert found
    return process, int(found[1]), lines


def call(port: int, method: str, path: str, body: object = None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    data = None if body is None else json.dumps(body)
    connection.request(method, path, data, {"Authorization": KEY, "Content-Type": "application/json"})
    with connection.getresponse() as answer:
        status = answer.status
    connection.close()
    return status


def test_the_program_serves_saves_on_sigterm_and_loads(tmp_path: Path) -> None:
    process, port, lines = start(tmp_path, "--key", KEY)
    try:
        assert KEY not in lines
        assert call(port, "POST", "/ippanel/v1/api/phonebooks", {"title": "News"}) == 200
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        process.stdout.close()  # type: ignore[union-attr]
    held = json.loads((tmp_path / "held.json").read_text(encoding="utf-8"))
    assert [book["title"] for book in held["dialects"]["ippanel"]["phonebooks"]] == ["News"]
