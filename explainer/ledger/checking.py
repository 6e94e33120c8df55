"""What a proof that somebody was given is worth, found out without the ledger: hashes and checkpoints are enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from explainer.errors import InvalidOption
from explainer.ledger.merkle import is_consistent, is_included, leaf
from explainer.ledger.notes import Checkpoint


def check_proof(proof: Mapping[str, Any], checkpoints: Sequence[Checkpoint]) -> tuple[bool, str]:
    """Whether the proof holds against the checkpoints, and a sentence that says so.

    Raises InvalidOption when it is no proof, or when a checkpoint of a size that it speaks of is missing.
    """
    roots = {checkpoint.size: checkpoint.root for checkpoint in checkpoints}
    try:
        path = [bytes.fromhex(hashed) for hashed in proof["path"]]
        if "written" in proof:
            return _included(proof, path, roots)
        return _consistent(proof, path, roots)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidOption(f"proof: this is no proof of an entry or of a beginning: {error}.") from None


def _included(proof: Mapping[str, Any], path: list[bytes], roots: Mapping[int, bytes]) -> tuple[bool, str]:
    number, size = int(proof["number"]), int(proof["size"])
    holds = is_included(leaf(proof["written"].encode()), number - 1, size, path, _root(roots, size))
    return holds, f"entry {number} is {'' if holds else 'NOT '}in the ledger of {size} entries as it was signed"


def _consistent(proof: Mapping[str, Any], path: list[bytes], roots: Mapping[int, bytes]) -> tuple[bool, str]:
    first, second = int(proof["first"]), int(proof["second"])
    holds = is_consistent(first, second, path, (_root(roots, first), _root(roots, second)))
    sizes = f"the ledger of {first} entries is {'' if holds else 'NOT '}the beginning of that of {second}"
    return holds, f"{sizes}, as both were signed"


def _root(roots: Mapping[int, bytes], size: int) -> bytes:
    if size not in roots:
        raise InvalidOption(f"checkpoint: one of {size} entries is needed to check this proof.")
    return roots[size]
