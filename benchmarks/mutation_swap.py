"""A loaded source whose functions get another one's code, for mutation.py: far quicker than importing all anew."""

from __future__ import annotations

import ast
import gc
import sys
import threading
import types
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mutants import Mutant


class Calls:
    """Which functions of a file are called meanwhile, by qualified name."""

    def __init__(self, path: str) -> None:
        self.path, self.names = path, set()

    def _called(self, frame: types.FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename == self.path:
            self.names.add(frame.f_code.co_qualname.partition(".<locals>")[0])

    def __enter__(self) -> Calls:
        threading.setprofile(self._called)
        sys.setprofile(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)


class Loaded:
    """What is loaded of one source: its functions, wherever they are referred to, and every cache of ours."""

    def __init__(self, path: str, module: str) -> None:
        self.path, self.module = path, sys.modules[module]
        things = gc.get_objects()
        self.functions = [f for f in things if type(f) is types.FunctionType and f.__code__.co_filename == path]
        self.caches = [
            thing
            for thing in things
            if type(thing).__name__ == "_lru_cache_wrapper" and (thing.__module__ or "").startswith("diagnose")
        ]
        gc.freeze()  # or a fork that collects garbage copies all of it

    def forget(self) -> None:
        for cache in self.caches:
            cache.cache_clear()

    def exchange(self, mutant: Mutant, constant: str) -> None:
        """Every function gets the mutant's code, or every module that has the constant its new value."""
        whole = compile(mutant.tree, self.path, "exec", dont_inherit=True)
        if constant:
            names = {"__name__": self.module.__name__}
            try:
                exec(whole, names)
            except Exception as error:
                raise ImportError(f"cannot be imported: {error!r}") from error
            old = getattr(self.module, constant)
            for module in list(sys.modules.values()):
                if getattr(module, "__dict__", {}).get(constant) is old:
                    setattr(module, constant, names[constant])
        codes: dict[tuple[str, int], types.CodeType] = {}

        def gather(code: types.CodeType) -> None:
            codes[code.co_qualname, code.co_firstlineno] = code
            for inner in code.co_consts:
                if isinstance(inner, types.CodeType):
                    gather(inner)

        gather(whole)
        for function in self.functions:
            function.__code__ = codes[function.__code__.co_qualname, function.__code__.co_firstlineno]
        self.forget()


def used_at_import(source: str) -> set[str]:
    """Names that a module reads outside its functions."""
    found: set[str] = set()

    def walk(node: ast.AST) -> None:
        for field, value in ast.iter_fields(node):
            if field == "body" and isinstance(node, ast.FunctionDef | ast.Lambda):
                continue
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
                    found.add(part.id)
                if isinstance(part, ast.AST):
                    walk(part)

    walk(ast.parse(source))
    return found


def constant_of(mutant: Mutant) -> str:
    """The name of the module's constant that a mutant changes; "" where it changes something else."""
    for statement in mutant.tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)) if (
                statement.lineno <= mutant.number <= statement.end_lineno
            ):
                return name
    return ""
