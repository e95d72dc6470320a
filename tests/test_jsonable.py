"""Values of Python, NumPy and PyTorch are written as users expect, or refused by their place."""

from __future__ import annotations

import argparse
import collections
import dataclasses
import decimal
import enum
import json
import types
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import nsm_gate
from tests.support import Repo, a_baseline, a_run, edited

LOG = "training_log.jsonl"
ZONE = timezone(timedelta(hours=2))


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """Work in an empty repository."""
    repo = Repo.init(tmp_path / "lab")
    for name, value in repo.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(repo.path)
    return repo


def run(value: object) -> dict[str, Any]:
    """Return a run with a value in a place where any value may stand."""
    return edited(a_run(), dataset_config__domain_params={"x": value})


def written(value: object) -> Any:
    """Append a run with a value; return what stands in the log for it."""
    nsm_gate.append(LOG, run(value))
    return json.loads(Path(LOG).read_bytes())["run_data"]["dataset_config"]["domain_params"]["x"]


def refusal(value: object) -> tuple[str, str]:
    """Append a run with a value that is refused; return the message behind its place, and the hint."""
    before = Path(LOG).read_bytes() if Path(LOG).exists() else None
    with pytest.raises(nsm_gate.EntryRefused) as caught:
        nsm_gate.append(LOG, run(value))
    (found,) = caught.value.report.findings
    place = "/run_data/dataset_config/domain_params/x"
    assert found.rule == "invalid-json"
    assert found.pointer is not None
    assert found.pointer.startswith(place)
    assert found.message.startswith(found.pointer + " ")
    assert found.message in str(caught.value)
    assert (Path(LOG).read_bytes() if Path(LOG).exists() else None) == before
    return found.message.removeprefix(place).strip(), found.hint


class Mode(enum.Enum):
    EQUAL = "equal"


class Level(enum.IntEnum):
    HIGH = 3


class Label(str):
    __slots__ = ()


@dataclasses.dataclass
class Config:
    epochs: int
    path: Path


class Pair(NamedTuple):
    low: float
    high: float


class Namespace(types.SimpleNamespace):
    pass


class Model:
    """As pydantic's."""

    def model_dump(self) -> dict[str, int]:
        return {"epochs": 3}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Path("data/run.pt"), "data/run.pt"),
        (datetime(2025, 11, 3, 12, 15, tzinfo=ZONE), "2025-11-03T10:15:00Z"),
        (datetime(2025, 11, 3, 10, 15, 0, 5, tzinfo=timezone.utc), "2025-11-03T10:15:00.000005Z"),
        (date(2025, 11, 3), "2025-11-03"),
        ((1, 2.5, None), [1, 2.5, None]),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset({"b", "a"}), ["a", "b"]),
        ({1, "a"}, ["a", 1]),
        (range(3), [0, 1, 2]),
        (collections.deque([1]), [1]),
        (Config(3, Path("x")), {"epochs": 3, "path": "x"}),
        (Pair(0.1, 0.2), {"low": 0.1, "high": 0.2}),
        (argparse.Namespace(lr=0.1), {"lr": 0.1}),
        (types.SimpleNamespace(lr=0.1), {"lr": 0.1}),
        (collections.OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        ({0: 0.58, 1: 0.64}, {"0": 0.58, "1": 0.64}),
        ({Mode.EQUAL: Level.HIGH}, {"equal": 3}),
        (Label("x"), "x"),
        (True, True),
        (10**30, 10**30),
        (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (decimal.Decimal("0.1"), 0.1),
        (Model(), {"epochs": 3}),
        ("line\u2028separator\u0085", "line\u2028separator\u0085"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_are_written_as_users_expect(lab: Repo, value: object, expected: object) -> None:
    assert written(value) == expected
    assert type(written(value)) is type(expected)
    assert len(Path(LOG).read_text(encoding="utf-8").splitlines()) == 1


def endless() -> list[Any]:
    inner: list[Any] = []
    inner.append(inner)
    return inner


@pytest.mark.parametrize(
    ("value", "message", "hint"),
    [
        (float("nan"), "is NaN, which is not JSON", "write null, and say in the findings why the value is missing"),
        ({"a": [0.1, float("inf")]}, "/a/1 is infinite, which is not JSON", "write null"),
        (decimal.Decimal("NaN"), "is NaN, which is not JSON", "write null"),
        (timedelta(seconds=3), "is a timedelta", "log seconds: value.total_seconds()"),
        (b"bytes", "is bytes", "decode them: value.decode()"),
        ("\ud800", "holds a lone surrogate, which UTF-8 cannot write", "write it with value.encode("),
        ({"\ud800": 1}, "holds a lone surrogate, which UTF-8 cannot write", "write it with value.encode("),
        ({(1, 2): 3}, "has a member that is named by a tuple", "name members by text"),
        ({True: 3}, "has a member that is named by a bool", "name members by text"),
        ({1: 2, "1": 3}, "/1 stands there twice, named by a number and by text", "keep one of the two"),
        (print, "is a builtin_function_or_method, which JSON cannot hold", "convert it first"),
        (int, "is a type, which JSON cannot hold", "convert it first"),
        (3j, "is a complex, which JSON cannot hold", "convert it first"),
        (iter([1]), "is a list_iterator, which can be read once", "make a list of it: list(value)"),
        (1 << 15000, "is a number of over 4,300 digits", "log a float"),
        (decimal.Decimal("0.1234567890123456789"), "is a Decimal of more digits than a float holds", "log text"),
        (endless(), "/0/0/0/0 is nested deeper than 64 levels", "flatten the entry"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_json_cannot_hold_is_refused_by_its_place(
    lab: Repo, value: Any, message: str, hint: str
) -> None:
    said, remedy = refusal(value)
    assert (said, remedy[: len(hint)]) == (message, hint)


def test_every_fault_is_told_at_once(lab: Repo) -> None:
    bad = edited(run(print), best_val_accuracy=float("nan"), final_metrics__accuracy=float("inf"))
    with pytest.raises(nsm_gate.EntryRefused) as caught:
        nsm_gate.append(LOG, [a_run("planning_other_20251101", 3), bad])
    assert [(f.line, f.pointer) for f in caught.value.report.findings] == [
        (2, "/run_data/dataset_config/domain_params/x"),
        (2, "/run_data/best_val_accuracy"),
        (2, "/run_data/final_metrics/accuracy"),
    ]
    assert not Path(LOG).exists()


def test_a_time_without_an_offset_is_what_the_log_kind_says(lab: Repo) -> None:
    naive = datetime(2025, 11, 1, 0, 1)
    made = nsm_gate.append(LOG, edited(a_run(), entry__timestamp=naive))
    assert made.entries[0]["timestamp"] == "2025-11-01T00:01:00Z"
    with pytest.raises(nsm_gate.EntryRefused, match="/timestamp is a datetime without an offset from UTC"):
        nsm_gate.append("baselines.jsonl", edited(a_baseline(), timestamp=naive))


def test_a_retry_of_values_that_were_converted_is_recognised(lab: Repo) -> None:
    given = run(
        {"set": {2, 1}, "when": datetime(2025, 11, 3, 12, 15, tzinfo=ZONE), "nested": Config(1, Path("p"))}
    )
    assert nsm_gate.append(LOG, given).new == [1]
    assert nsm_gate.append(LOG, given).already == {1}


# --- NumPy ----------------------------------------------------------------------------------------------


def test_numpy_values_are_written_as_numbers(lab: Repo) -> None:
    np = pytest.importorskip("numpy")
    values = {
        "float64": np.float64(0.25), "float32": np.float32(0.5), "float16": np.float16(0.5), "int64": np.int64(3),
        "uint8": np.uint8(3), "bool": np.bool_(True), "str": np.str_("x"), "zero": np.array(0.5),
        "row": np.arange(3), "grid": np.ones((2, 2)), "empty": np.array([]), "long": np.longdouble(1.5),
        "objects": np.array(["a", None, 1], dtype=object),
    }  # fmt: skip
    assert written(values) == {
        "float64": 0.25, "float32": 0.5, "float16": 0.5, "int64": 3, "uint8": 3, "bool": True, "str": "x",
        "zero": 0.5, "row": [0, 1, 2], "grid": [[1.0, 1.0], [1.0, 1.0]], "empty": [], "long": 1.5,
        "objects": ["a", None, 1],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda np: np.float32("nan"), "is NaN, which is not JSON"),
        (lambda np: np.array([1.0, np.inf]), "/1 is infinite, which is not JSON"),
        (lambda np: np.datetime64("2025-11-03T10:00:00", "ns"), "is a numpy.datetime64 of datetime64[ns]"),
        (lambda np: np.complex64(1), "is a complex, which JSON cannot hold"),
        (lambda np: np.zeros(600_000), "is a numpy.ndarray of 600,000 numbers"),
    ],
)
def test_numpy_values_that_json_cannot_hold_are_refused(
    lab: Repo, make: Callable[[Any], object], message: str
) -> None:
    assert refusal(make(pytest.importorskip("numpy")))[0] == message


# --- PyTorch --------------------------------------------------------------------------------------------


class Size(tuple[int, ...]):
    """As torch.Size."""


class Tensor:
    """What append uses of a torch.Tensor, for where PyTorch is not installed. Its iteration gives tensors."""

    def __init__(self, data: Any, shape: Sequence[int], dtype: str = "torch.float32") -> None:
        self.data, self.shape, self.dtype = data, Size(shape), dtype

    def item(self) -> Any:
        if self.shape and self.shape != (1,):
            raise RuntimeError("a Tensor with 2 elements cannot be converted to Scalar")
        return self.data

    def tolist(self) -> Any:
        return self.data

    def __iter__(self) -> Iterator[Tensor]:
        return iter(Tensor(item, ()) for item in self.data)


class MetaTensor(Tensor):
    def item(self) -> Any:
        raise RuntimeError("Tensor.item() cannot be called on meta tensors")


def test_tensors_are_known_by_what_they_offer(lab: Repo) -> None:
    values = {
        "loss": Tensor(0.5, ()),
        "row": Tensor([1, 2], (2,)),
        "one": Tensor([0.5], (1,)),
        "shape": Size((2, 3)),
    }
    assert written(values) == {"loss": 0.5, "row": [1, 2], "one": [0.5], "shape": [2, 3]}


def test_tensors_that_cannot_be_read_are_refused(lab: Repo) -> None:
    name = f"{__name__}.Tensor"
    assert refusal(Tensor(float("nan"), ()))[0] == "is NaN, which is not JSON"
    assert refusal(Tensor([], (1000, 1000)))[0] == f"is a {name} of 1,000,000 numbers"
    said = refusal(MetaTensor(0, ()))[0]
    assert (
        said
        == f"is a {__name__}.MetaTensor that cannot be read: Tensor.item() cannot be called on meta tensors"
    )


def test_pytorch_itself(lab: Repo) -> None:
    torch = pytest.importorskip("torch")
    loss = torch.tensor(0.5, requires_grad=True) * 2
    values = {
        "loss": loss, "half": torch.tensor(0.5, dtype=torch.bfloat16), "row": torch.arange(3),
        "weight": torch.nn.Parameter(torch.ones(2)), "shape": torch.ones(2, 3).shape, "flag": torch.tensor(True),
    }  # fmt: skip
    assert written(values) == {
        "loss": 1.0, "half": 0.5, "row": [0, 1, 2], "weight": [1.0, 1.0], "shape": [2, 3], "flag": True,
    }  # fmt: skip
    assert refusal(torch.tensor(float("nan")))[0] == "is NaN, which is not JSON"
    assert refusal(torch.zeros(10, device="meta"))[0].startswith("is a torch.Tensor that cannot be read")
    assert refusal(torch.device("cpu"))[0] == "is a torch.device, which JSON cannot hold"
