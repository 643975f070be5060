"""What a policy is shown of a market, as its file tells it: layout, scale, learned days, regimes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from marketdata.regime import RegimeFault, RegimeModel
from rl.config import TAUGHT
from rl.learned_days import LearnedDays
from rl.normaliser import Normaliser, NormaliserFault
from rl.observation_layout import PER_ASSET, WIDTHS, ObservationLayout, ObservationMismatch
from rl.policy_format import container, own
from rl.policy_format.fault import PolicyFileFault
from rl.policy_format.fields import Fields, text
from rl.policy_format.own import OBSERVATION, OBSNORM, REGIME, TRAINING, PolicyDocument
from rl.policy_format.spaces import plain_space
from rl.policy_format.spec import PolicySpec

TRAINED = "trained"
MOST_NAMES = 10_000
_MAPPINGS = ("simplex_cash", "tanh_leverage", "discrete")


@dataclass(frozen=True)
class Seen:
    """What a policy is shown of a market: layout, scale, days and regimes, as its file tells them."""

    normaliser: Normaliser
    layout: ObservationLayout
    learned: LearnedDays
    regime: RegimeModel | None
    taught: dict[str, Any] | None = None

    @classmethod
    def of(cls, document: PolicyDocument) -> Self:
        """Raises PolicyFileFault where a member is missing, not what we write, or does not fit the spaces."""
        documents = document.documents
        for name in (OBSNORM, OBSERVATION):
            if name not in documents:
                raise PolicyFileFault(f"it lacks {name}, which tells what the policy sees", "missing")
        try:
            seen = Fields(documents[OBSERVATION], OBSERVATION).rest()
            learned = LearnedDays.from_dict(seen.pop(TRAINED, None))
            _check_layout(Fields(seen, OBSERVATION))
            layout = ObservationLayout.from_dict(seen)
            _check_spaces(document.spec, layout)
            normaliser = Normaliser.from_dict(documents[OBSNORM], len(layout.features))
            return cls(normaliser, layout, learned, _regime(documents, layout), _taught(documents))
        except (
            RegimeFault,
            NormaliserFault,
            ObservationMismatch,
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
        ) as fault:
            if isinstance(fault, PolicyFileFault):
                raise
            said = str(fault).rstrip(".") if isinstance(fault, ValueError) else "a member is not what it must be"
            raise PolicyFileFault(f"it does not fit this version: {said}", "observation") from fault

    def documents(self) -> dict[str, Any]:
        """The JSON members again, in the one form that we write."""
        told = {
            OBSNORM: self.normaliser.as_dict(),
            OBSERVATION: self.layout.as_dict() | {TRAINED: self.learned.as_dict()},
        }
        if self.taught is not None:
            told[TRAINING] = self.taught
        return told | ({REGIME: self.regime.as_dict()} if self.regime else {})


def seen_in(content: bytes) -> Seen:
    """What the policy of a file that we wrote sees. Raises PolicyFileFault where it does not tell."""
    return Seen.of(own.read(container.read(content, own.KEPT)))


def _check_layout(fields: Fields) -> None:
    """Every part of a layout is of its kind. Raises PolicyFileFault."""
    for key in ("symbols", "feature_set", "indicators", "features", "portfolio", *(["regime"] * fields.has("regime"))):
        names = [text(name, 200, f"{OBSERVATION}.{key}") for name in fields.items(key, MOST_NAMES)]
        if len(set(names)) != len(names) or (key in ("symbols", "features") and not names):
            fields.refuse(key, "a list of names, each once", "observation")
        if key == "portfolio" and not set(names) <= PER_ASSET | set(WIDTHS):
            fields.refuse(key, "parts that are known", "observation")
    fields.whole("lookback", 1, 100_000)
    fields.choice("mapping_mode", _MAPPINGS)
    fields.number("logit_scale", 1e-9, 1e9)
    fields.flag("allow_short")
    for key in ("interval", "adjustment"):
        fields.text(key)
    fields.end()


def _check_spaces(spec: PolicySpec, layout: ObservationLayout) -> None:
    """Raises PolicyFileFault, which names each part that the policy takes otherwise than its layout says."""
    faults = []
    taken = {"action": spec.action_space, **dict(spec.observation_space.get("spaces", ()))}
    told = {"action": layout.action_space(), **layout.space().spaces}
    for name in sorted({*taken, *told}):
        has, says = taken.get(name), plain_space(told[name]) if name in told else None
        if has != says:
            faults.append(f"{name} is {_size(has)} in the network and {_size(says)} in {OBSERVATION}")
    if faults:
        raise PolicyFileFault(
            "what the policy takes is not what it says that it sees: " + "; ".join(faults), "observation"
        )


def _size(space: dict[str, Any] | None) -> str:
    if space is None:
        return "absent"
    return f"{space['type']} {space.get('shape', space.get('nvec', space.get('n')))}"


def _regime(documents: Mapping[str, Any], layout: ObservationLayout) -> RegimeModel | None:
    """The model whose beliefs the layout names. Raises PolicyFileFault where the file holds another one, or none."""
    if not layout.regime:
        return None
    if REGIME not in documents:
        raise PolicyFileFault(f"it lacks {REGIME}", "missing")
    model = RegimeModel.from_dict(documents[REGIME])
    if model.names != layout.regime:
        said = f"{REGIME} has {model.n_states} regimes, and {OBSERVATION} sees {len(layout.regime)}"
        raise PolicyFileFault(said, "observation")
    return model


def _taught(documents: Mapping[str, Any]) -> dict[str, Any] | None:
    """How the policy was trained, by groups of a configuration; their fields are read where they are shown."""
    if TRAINING not in documents:
        return None
    fields = Fields(documents[TRAINING], TRAINING)
    found = {name: fields.object(name).rest() for name in TAUGHT if fields.has(name)}
    fields.end()
    return found
