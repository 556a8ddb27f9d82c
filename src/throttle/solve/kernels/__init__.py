"""One source of kernels, run compiled by numba or as plain Python.

The plain version is the test oracle and serves small instances, where importing numba costs more than it saves.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])
Arrays = TypeVar("Arrays")

_compiling = False
_dispatchers: list[Any] = []
_loading = threading.RLock()
"""One at a time: ``_compiling`` is true of all that is loaded meanwhile."""


def njit(function: Function) -> Function:
    """Numba's ``njit`` (cached on disk, without the GIL) while compiled kernels are loaded, else nothing."""
    return _compiled(function)


def inner(function: Function) -> Function:
    """As ``njit``, for what only compiled code calls: without the code that Python would call it by, which for large
    arguments takes longer to compile than the function."""
    return _compiled(function, **INNER)


def lean(function: Function) -> Function:
    """As ``njit``, for what makes no arrays and calls only ``lean_inner``: references to arrays are not counted.

    Counting takes two locked instructions for each array at every call that passes it, which with many arrays costs
    several times what the calls do.
    """
    return _compiled(function, **UNCOUNTED)


def lean_inner(function: Function) -> Function:
    """As ``inner``, for what makes no arrays."""
    return _compiled(function, **INNER, **UNCOUNTED)


def borrowing() -> Callable[[Arrays], Arrays]:
    """A function of compiled code that gives a tuple of arrays whose references are not counted, for calls that pass it
    on to what is not ``lean``. Whoever calls it must keep the arrays meanwhile."""
    return _uncounted() if _compiling else _same


def _same(arrays: Arrays) -> Arrays:
    return arrays


@cache
def _uncounted() -> Any:
    from numba import types
    from numba.extending import intrinsic

    @intrinsic
    def uncounted(_: Any, arrays: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            (found,) = values
            for k, kind in enumerate(signature.args[0].types):
                if isinstance(kind, types.Array):
                    array = context.make_array(kind)(context, builder, builder.extract_value(found, k))
                    array.meminfo, array.parent = array.meminfo.type(None), array.parent.type(None)
                    found = builder.insert_value(found, array._getvalue(), k)
            return found

        return arrays(arrays), code

    return uncounted


INNER: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
UNCOUNTED: dict[str, Any] = {"_nrt": False}
"""Options that numba's annotations do not have; the second is compiled without its runtime for memory, and fails to
compile where something would need it."""


def _compiled(function: Function, **options: Any) -> Function:
    if not _compiling:
        return function
    import numba

    compiled = numba.njit(cache=True, nogil=True, **options)(function)
    _dispatchers.append(compiled)
    return cast(Function, compiled)


def compilations() -> int:
    """How often a kernel has been compiled in this process, rather than loaded from the cache on disk."""
    return sum(sum(d.stats.cache_misses.values()) for d in _dispatchers)


def prepared() -> int:
    """How often a kernel has been compiled or loaded in this process."""
    return compilations() + sum(sum(d.stats.cache_hits.values()) for d in _dispatchers)


@cache
def kernels(compiled: bool, name: str = "serial") -> ModuleType:
    """The module ``throttle.solve.kernels.<name>``, its functions compiled (at the first call of each) or not.

    A kernel module imports nothing but numpy and this, so that all that it calls is compiled with it.
    """
    global _compiling  # noqa: PLW0603 - read by njit while the module below runs
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(
        f"throttle.solve.kernels.{name}_{'compiled' if compiled else 'plain'}", path
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path.name}")
    module = importlib.util.module_from_spec(spec)
    with _loading:
        sys.modules[spec.name] = module  # numba's cache finds the functions of a module by its name
        _compiling = compiled
        try:
            spec.loader.exec_module(module)
        finally:
            _compiling = False
    return module
