"""Where is the tracer of lines while SQLAlchemy works? Put aside: no line of ours runs in the greenlets of its driver.

They are to be told apart else: coverage then looks up, at each call and each return of any function, in whose stack it
happens, which was a fifth of the processor time of a test that asks the API. Programs that tests start are traced in
that way all the same (environment.py).
"""

import sys
from collections.abc import Callable

from sqlalchemy.util import concurrency


def put_the_tracer_aside() -> None:
    """From now on, while one of SQLAlchemy's greenlets has the thread, nothing is traced in it."""
    shim = concurrency._concurrency_shim  # noqa: SLF001 - what makes greenlets has no other name

    class Untraced(shim._AsyncIoGreenlet):  # type: ignore[misc,name-defined]  # noqa: SLF001 - as above
        # Both return when the greenlet waits for something, or has ended.
        def switch(self, *given: object, **named: object) -> object:
            return _untraced(super().switch, *given, **named)

        def throw(self, *given: object) -> object:
            return _untraced(super().throw, *given)

    shim._AsyncIoGreenlet = Untraced  # noqa: SLF001


def _untraced(go_on: Callable[..., object], *given: object, **named: object) -> object:
    tracer = sys.gettrace()
    if tracer is None:
        return go_on(*given, **named)
    sys.settrace(None)
    try:
        return go_on(*given, **named)
    finally:
        sys.settrace(tracer)
