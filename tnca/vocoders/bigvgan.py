"""BigVGAN: NVIDIA's neural vocoder, from a folder or from the Hugging Face hub.

    BigVGAN("nvidia/bigvgan_base_22khz_80band")
    BigVGAN("weights/bigvgan_base_22khz_80band")    # a folder with config.json and bigvgan_generator.pt

The package's own `from_pretrained` is not used.  Its `_from_pretrained` demands the keywords `proxies` and
`resume_download`, which huggingface_hub stopped passing at 1.0, so that there it ends in a TypeError, even for a
local folder; it also loads the weights without weights_only, prints, and draws initial weights from torch's global
generator.  Here the network is laid out on torch's "meta" device, which allocates nothing, held against the names and
shapes of the file, and only then given the file's tensors.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import re
import stat
import warnings
import zipfile
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import torch

from diagnose.audio import HIGHEST_RATE_HZ, LOWEST_RATE_HZ, Audio
from diagnose.errors import InputError
from diagnose.mel.contract import LARGEST_N_FFT, MOST_BANDS, MOST_OVERLAP, MelContract, ValueScale, load, names
from diagnose.spectrogram import MelGrid
from tnca.vocoders.vocoder import Mel, check

CONFIG, WEIGHTS = "config.json", "bigvgan_generator.pt"
LARGEST_CONFIG = 1 << 20
LARGEST_WEIGHTS = 1 << 32  # the largest that is published: 0.5 GB
MOST_PARAMETERS = 1 << 29  # 2 GiB of float32; the largest that is published: 1.2e8
OWN_NAME = "bigvgan (from its config)"
HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")

# meldataset.py of the package: sqrt(|STFT|**2 + 1e-9), ln(max(x, 1e-5)).
LEVELS = ValueScale("ln-magnitude", clip=1e-5)
BIN_EPSILON = 1e-9

Channels = Annotated[int, msgspec.Meta(ge=1, le=4096)]
Kernel = Annotated[int, msgspec.Meta(ge=1, le=64)]
Dilation = Annotated[int, msgspec.Meta(ge=1, le=64)]
Rate = Annotated[int, msgspec.Meta(ge=1, le=512)]
UpKernel = Annotated[int, msgspec.Meta(ge=1, le=1024)]
Stages = msgspec.Meta(min_length=1, max_length=8)
Blocks = msgspec.Meta(min_length=1, max_length=5)
Length = Annotated[int, msgspec.Meta(ge=1, le=LARGEST_N_FFT)]
Hertz = Annotated[float, msgspec.Meta(ge=0, le=HIGHEST_RATE_HZ)]


class Config(msgspec.Struct, frozen=True):
    """What is read of config.json: the mel (first lines) and the layout of the network; other keys are for training.

    fmax: in Hz; None for half of sampling_rate.
    """

    sampling_rate: Annotated[int, msgspec.Meta(ge=LOWEST_RATE_HZ, le=HIGHEST_RATE_HZ)]
    num_mels: Annotated[int, msgspec.Meta(ge=1, le=MOST_BANDS)]
    n_fft: Annotated[int, msgspec.Meta(ge=2, le=LARGEST_N_FFT, multiple_of=2)]
    hop_size: Length
    win_size: Length
    fmin: Hertz
    fmax: Hertz | None
    upsample_rates: Annotated[list[Rate], Stages]
    upsample_kernel_sizes: Annotated[list[UpKernel], Stages]
    upsample_initial_channel: Channels
    resblock: Literal["1", "2"]
    resblock_kernel_sizes: Annotated[list[Kernel], Blocks]
    resblock_dilation_sizes: Annotated[list[Annotated[list[Dilation], Blocks]], Blocks]
    activation: Literal["snake", "snakebeta"]
    snake_logscale: bool
    use_bias_at_final: bool = True
    use_tanh_at_final: bool = True

    @property
    def grid(self) -> MelGrid:
        fmax = self.sampling_rate / 2 if self.fmax is None else self.fmax
        return MelGrid(self.sampling_rate, self.n_fft, self.hop_size, self.num_mels, self.fmin, fmax)

    @property
    def problem(self) -> str | None:
        """What is wrong between its keys, in words; None where the network keeps to hop_size samples a frame."""
        grid = self.grid
        stages = list(zip(self.upsample_rates, self.upsample_kernel_sizes, strict=False))
        rules = {
            f"win_size {self.win_size}: must be n_fft ({self.n_fft})": (self.win_size == self.n_fft),
            f"hop_size {self.hop_size}: must be n_fft / {MOST_OVERLAP} to n_fft ({self.n_fft})": (
                max(1, self.n_fft // MOST_OVERLAP) <= self.hop_size <= self.n_fft
            ),
            f"fmin {grid.fmin:g}, fmax {grid.fmax:g}: must be 0 <= fmin < fmax <= sampling_rate / 2": (
                grid.fmin < grid.fmax <= grid.rate / 2
            ),
            f"upsample_rates {self.upsample_rates}: their product must be hop_size, {self.hop_size}": (
                math.prod(self.upsample_rates) == self.hop_size
            ),
            "upsample_kernel_sizes: must be as many as upsample_rates": (
                len(self.upsample_kernel_sizes) == len(self.upsample_rates)
            ),
            f"upsample_kernel_sizes {self.upsample_kernel_sizes}: each must exceed its rate by an even number": all(
                kernel >= rate and (kernel - rate) % 2 == 0 for rate, kernel in stages
            ),
            f"upsample_initial_channel {self.upsample_initial_channel}: must stay above 0 when halved at each stage": (
                self.upsample_initial_channel >> len(self.upsample_rates) > 0
            ),
            "resblock_dilation_sizes: must be as many lists as resblock_kernel_sizes": (
                len(self.resblock_dilation_sizes) == len(self.resblock_kernel_sizes)
            ),
            f"resblock_kernel_sizes {self.resblock_kernel_sizes}: each must be odd": all(
                kernel % 2 for kernel in self.resblock_kernel_sizes
            ),
        }
        return next((text for text, holds in rules.items() if not holds), None)


class BigVGAN:
    """A trained network; its contract follows from its config.json.

    source: a folder with config.json and bigvgan_generator.pt, or an id on the Hugging Face hub.
    Raises InputError, in one line, for files that are missing, broken or do not belong together, and for a package or
    a device that is not there.
    """

    name = "bigvgan"

    def __init__(self, source: str, device: str = "cpu") -> None:
        config_file, weights_file = _files(source)
        config = read_config(config_file)
        self.contract = contract_of(config, os.path.basename(os.path.abspath(source)), config_file)
        self.device = device
        self._network = _on(_network(config, weights_file), device)

    def __call__(self, mel: Mel) -> Audio:
        """The sound [shape=(1, hop * frames)] of a mel; OtherContract, InputError: see check."""
        check(mel, self)
        values = torch.from_numpy(np.array(mel.values, np.float32)).to(self.device)
        with torch.inference_mode():
            samples = self._network(values[None])[0].float().cpu().numpy()
        if not np.isfinite(samples).all():
            raise InputError("bigvgan makes non-finite samples of this mel; check the range of its values")
        return Audio(samples, self.contract.grid.rate, self.name)


def read_config(path: str) -> Config:
    """Config of a config.json of at most 1 MiB; InputError names the file and the key."""
    _check_file(path, LARGEST_CONFIG)
    try:
        with open(path, "rb") as file:
            config = msgspec.json.decode(file.read(LARGEST_CONFIG), type=Config)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or _line(error)})") from None
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not the config of a BigVGAN: {_line(error)}") from None
    if config.problem:
        raise InputError(f"{path}: {config.problem}")
    return config


def contract_of(config: Config, name: str, path: str) -> MelContract:
    """The contract that comes with the tool if one is equal in all that counts, else one made of the config.

    Of several that are equal it is the one called name, or else the first BigVGAN's.  path: where config stands.
    """
    own = MelContract(path, "BigVGAN, by its config.json", config.grid, LEVELS, BIN_EPSILON, OWN_NAME)
    equal = [each for each in map(load, names()) if _parts(each) == _parts(own)]
    return min(equal, key=lambda each: (each.name != name, not each.name.startswith("bigvgan")), default=own)


def _parts(contract: MelContract) -> tuple[MelGrid, ValueScale, float]:
    return contract.grid, contract.levels, contract.bin_epsilon


# Files


def _files(source: str) -> tuple[str, str]:
    """Paths of config.json and bigvgan_generator.pt."""
    if os.path.isdir(source):
        found = tuple(os.path.join(source, name) for name in (CONFIG, WEIGHTS))
        for path in found:
            _check_file(path, LARGEST_WEIGHTS)
        return found[0], found[1]
    if os.path.exists(source):
        raise InputError(f"{source}: is a file; give the directory with {CONFIG} and {WEIGHTS}")
    if not HUB_ID.fullmatch(source):
        raise InputError(
            f"{source}: no such directory; give one with {CONFIG} and {WEIGHTS}, or a hub id such as "
            "nvidia/bigvgan_base_22khz_80band"
        )
    return _download(source, CONFIG), _download(source, WEIGHTS)


def _download(hub_id: str, name: str) -> str:
    try:
        from huggingface_hub import hf_hub_download

        return str(hf_hub_download(hub_id, name))
    except Exception as error:  # noqa: BLE001 -- no network, no such repository, a full disk: each library its own
        raise InputError(
            f"{hub_id}: no such directory, and {name} cannot be downloaded ({_line(error)}); download {CONFIG} and "
            f"{WEIGHTS} from https://huggingface.co/{hub_id} to a directory and give --vocoder bigvgan:DIR"
        ) from None


def _check_file(path: str, most: int) -> None:
    try:
        found = os.stat(path)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or _line(error)
        raise InputError(f"{path}: cannot be read ({why}); a BigVGAN directory has {CONFIG} and {WEIGHTS}") from None
    if not stat.S_ISREG(found.st_mode):
        raise InputError(f"{path}: is not a regular file; a BigVGAN directory has {CONFIG} and {WEIGHTS}")
    if found.st_size > most:
        raise InputError(f"{path}: {found.st_size:,} bytes, over {most:,}; not a file of BigVGAN")


def _state(path: str) -> dict[str, torch.Tensor]:
    """The tensors under "generator", by name.  Nothing in the file is executed; sizes are checked before reading."""
    _check_file(path, LARGEST_WEIGHTS)
    try:
        _check_claims(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = torch.load(path, map_location="cpu", weights_only=True)
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 -- whatever a broken or hostile file makes of the unpickler
        why = "it contains more than tensors" if "weights_only" in str(error).lower() else _line(error)
        raise InputError(f"{path}: cannot be loaded with weights_only=True ({why}); download it again") from None
    state = found.get("generator") if isinstance(found, dict) else None
    if not (isinstance(state, dict) and state and all(map(_is_weight, state.values()))):
        raise InputError(f"{path}: not a BigVGAN generator; expected {{'generator': weights by name}}")
    return {str(name): value for name, value in state.items()}


def _check_claims(path: str) -> None:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            claimed = sum(info.file_size for info in archive.infolist())
        if claimed > LARGEST_WEIGHTS:
            raise InputError(f"{path}: claims {claimed:,} bytes, over {LARGEST_WEIGHTS:,}; not a file of BigVGAN")


def _is_weight(value: object) -> bool:
    """True for a plain tensor of real numbers that is not larger than what it was read from."""
    return (
        isinstance(value, torch.Tensor)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and value.is_floating_point()
        and value.numel() * value.element_size() <= value.untyped_storage().nbytes()
    )


# Network


def _network(config: Config, path: str) -> torch.nn.Module:
    """The network of config with the weights of a file, their norm folded in, ready to run."""
    state = _state(path)
    network = _layout(config, normed=any(name.endswith(".weight_g") for name in state))
    _check_state(network.state_dict(), state, path)
    network.load_state_dict({name: value.to(torch.float32) for name, value in state.items()}, assign=True)
    _fold_norm(network)
    return network.eval().requires_grad_(False)


def _layout(config: Config, *, normed: bool) -> Any:
    """The package's own network, without values: on the meta device it takes no memory and draws no random numbers.

    normed: with the parameters of weight normalisation, as it is trained and published.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch has deprecated the weight_norm that the package uses
        try:
            import bigvgan
        except ImportError as error:
            why = f"bigvgan cannot be imported ({_line(error)})"
            raise InputError(f"{why}; pip install 'timbre-diagnose[tnca]'") from None
        with torch.device("meta"):
            network = bigvgan.BigVGAN(bigvgan.AttrDict(msgspec.to_builtins(config)), use_cuda_kernel=False)
            if not normed:
                _fold_norm(network)
    return network


def _fold_norm(network: Any) -> None:
    """weight = g v / |v|, once and for all; nothing where that is done already.  The package prints what it does."""
    with contextlib.redirect_stdout(io.StringIO()):
        network.remove_weight_norm()


def _check_state(wanted: dict[str, torch.Tensor], state: dict[str, torch.Tensor], path: str) -> None:
    """Raises InputError where the file holds other weights than the network has, too many, or NaN."""
    other = f"{path}: not the weights of the network in {CONFIG}"
    for word, odd in (("missing", wanted.keys() - state.keys()), ("unknown", state.keys() - wanted.keys())):
        if odd:
            raise InputError(f"{other}: {len(odd)} are {word} ({', '.join(map(repr, sorted(odd)[:3]))[:200]} ...)")
    for name, value in wanted.items():
        if value.shape != state[name].shape:
            raise InputError(f"{other}: {name} has shape {tuple(state[name].shape)}, not {tuple(value.shape)}")
    if sum(value.numel() for value in wanted.values()) > MOST_PARAMETERS:
        raise InputError(f"{path}: over {MOST_PARAMETERS:,} weights, more than any published BigVGAN")
    broken = [name for name, value in state.items() if not torch.isfinite(value).all()]
    if broken:
        raise InputError(f"{path}: {broken[0]} has non-finite weights; download the file again")


def _on(network: torch.nn.Module, device: str) -> torch.nn.Module:
    try:
        return network.to(device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:  # torch: an AssertionError without CUDA
        raise InputError(f"{device}: not a device that torch can use here ({_line(error)}); give cpu") from None


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
