"""diagnose mel, diagnose contracts: a mel array and the mel conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from diagnose.cli.output import check_outputs, finish, outputs, write

if TYPE_CHECKING:
    from diagnose.errors import DiagnoseError
    from diagnose.mel.check import ContractCheck


@click.command()
@click.argument("array")
@click.option("--audio", metavar="WAV", help="The sound that ARRAY was computed from; needed to check the grid.")
@click.option("--for", "wanted", metavar="CONTRACT", help="Compare with this contract (see `diagnose contracts`).")
@click.option("--convert", metavar="OUT.npy", help="Write the array converted to that contract.")
@click.option("--key", metavar="NAME", help="Name of the array in an .npz or .pt file with several.")
@click.option("--item", type=click.IntRange(min=0), default=0, show_default=True, help="Index of the mel in a batch.")
@outputs("json")
def mel(
    array: str,
    audio: str | None,
    wanted: str | None,
    convert: str | None,
    key: str | None,
    item: int,
    **targets: str | None,
) -> None:
    """Find the convention of the mel in ARRAY, and check it.

    \b
    diagnose mel mel.npy
    diagnose mel mel.npy --audio violin.wav --for bigvgan_base_22khz_80band
    diagnose mel mel.npy --for bigvgan --convert fixed.npy --json - | jq .differences

    ARRAY is a .npy, .npz or .pt file of shape (bands, frames) or (frames, bands), with or without batch axes; no code
    in it is executed.  CONTRACT is a name, a prefix of several names ("bigvgan": the nearest is used) or a TOML file.

    Exit codes: 0 done; 1 the array does not match the contract, or cannot be converted.
    """
    if convert is not None and wanted is None:
        raise click.UsageError("--convert needs --for CONTRACT")
    if convert == "-":
        raise click.UsageError("--convert -: an array cannot be written to stdout; give a file")
    check_outputs({**targets, "convert": convert}, array, *([audio] if audio else []))
    from diagnose.mel.array_file import read
    from diagnose.mel.check import contract_check
    from diagnose.mel.inference import infer_contract

    values = read(array, key)
    if wanted is None:
        inference, agreement = infer_contract(values, audio, item=item, name=array), None
    else:
        agreement = contract_check(values, wanted, audio, item=item, name=array)
        inference = agreement.inference
    said, refused = (None, None) if convert is None or agreement is None else _converted(values, agreement, convert)
    if targets["json"] is not None:
        from diagnose.render.mel import to_json

        write(targets["json"], to_json(array, inference, agreement, said))
    if targets["json"] != "-":
        from diagnose.render.mel import print_mel

        print_mel(array, inference, agreement, said)
    if refused is not None:
        raise refused
    finish("PASS" if agreement is None or said is not None else agreement.verdict)


def _converted(values: Any, agreement: ContractCheck, path: str) -> tuple[str | None, DiagnoseError | None]:
    """(what was written, None), or why nothing was."""
    from diagnose.mel.array_file import write as write_array
    from diagnose.mel.conversion import CannotConvert
    from diagnose.mel.conversion import convert as converted

    try:
        result = converted(values, agreement)
    except CannotConvert as error:
        return None, error
    write_array(path, result.values)
    return f"{path}: {result.says}", None


@click.command()
@outputs("json")
def contracts(**targets: str | None) -> None:
    """List the contracts for `diagnose mel --for`.  A contract is a mel convention of a vocoder or a library.

    \b
    diagnose contracts
    diagnose contracts --json - | jq '.contracts[0]'

    Your own contract is a TOML file with the same fields; see diagnose/mel/contracts/*.toml.
    """
    check_outputs(targets)
    from diagnose.mel.contract import load, names

    known = [load(name) for name in names()]
    if targets["json"] is not None:
        from diagnose.render.mel import contracts_json

        write(targets["json"], contracts_json(known))
    if targets["json"] != "-":
        from diagnose.render.mel import print_contracts

        print_contracts(known)
