from __future__ import annotations

from collections.abc import Iterator

import pytest

from providers.backends.atomtelecom import AtomTelecom
from providers.backends.callbell import Callbell
from providers.backends.ippanel import IPPanel
from providers.backends.lox24 import Lox24
from providers.sandbox import SandboxServer

from .servers import Recorder, recording

pytest.register_assert_rewrite(
    *(
        f"tests.providers.{name}"
        for name in (
            "contract_account",
            "contract_base",
            "contract_contacts",
            "contract_conversations",
            "contract_sends",
        )
    )
)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """A server that answers what it is told to and writes down what it is asked."""
    with recording() as server:
        yield server


@pytest.fixture
def ippanel(sandbox: SandboxServer) -> Iterator[IPPanel]:
    """A client of the sandbox."""
    from .ippanel import connect  # needs the key of the factories, which import models

    with connect(sandbox.url("ippanel"), read_timeout=1) as client:
        yield client


@pytest.fixture
def scripted(recorder: Recorder) -> Iterator[IPPanel]:
    """An IPPanel client of the recorder."""
    from .ippanel import connect

    with connect(recorder.url) as client:
        yield client


@pytest.fixture
def callbell(sandbox: SandboxServer) -> Iterator[Callbell]:
    """A client of the sandbox."""
    from .callbell import connect

    with connect(sandbox.url("callbell"), read_timeout=1) as client:
        yield client


@pytest.fixture
def scripted_callbell(recorder: Recorder) -> Iterator[Callbell]:
    """A Callbell client of the recorder."""
    from .callbell import connect

    with connect(recorder.url) as client:
        yield client


@pytest.fixture
def lox24(sandbox: SandboxServer) -> Iterator[Lox24]:
    """A LOX24 client of the sandbox."""
    from .lox24 import connect

    with connect(sandbox.url("lox24"), read_timeout=1) as client:
        yield client


@pytest.fixture
def scripted_lox24(recorder: Recorder) -> Iterator[Lox24]:
    """A LOX24 client of the recorder."""
    from .lox24 import connect

    with connect(recorder.url) as client:
        yield client


@pytest.fixture
def atom(sandbox: SandboxServer) -> Iterator[AtomTelecom]:
    """A client of the sandbox. At the end: nothing it asked was against the document."""
    from .atomtelecom import connect

    with connect(sandbox.url("atomtelecom"), read_timeout=1) as client:
        yield client
    assert sandbox.state("atomtelecom").violations == []


@pytest.fixture
def scripted_atom(recorder: Recorder) -> Iterator[AtomTelecom]:
    """A client of the recorder."""
    from .atomtelecom import connect

    with connect(recorder.url) as client:
        yield client
