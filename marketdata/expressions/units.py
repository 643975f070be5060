"""What becomes of a value when all prices, or all volumes, of one symbol are multiplied by a constant.

Adjusted prices are prices times a factor that later corporate actions decide: only what does not change with it may be
seen. A quantity is followed by rules as physical dimensions are; where they do not say, the answer is `ABSOLUTE`: it
depends on the unit in no known way, and is refused on adjusted data.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """Multiplied by kᵖ·mᵛ when prices are by k and volumes by m; a logarithm (`log`) moves by p·ln k + v·ln m."""

    price: int = 0
    volume: int = 0
    log: bool = False


FREE, PRICE, VOLUME = Unit(), Unit(1, 0), Unit(0, 1)
ABSOLUTE = None
Dimension = Unit | None


def made(price: int, volume: int, log: bool) -> Unit:
    """A unit; what has none is `FREE`, be it a logarithm or not."""
    return Unit(price, volume, log and (price, volume) != (0, 0))


def product(one: Dimension, other: Dimension, sign: int = 1) -> Dimension:
    """Of one · other, or with `sign` −1 of one / other."""
    if one is None or other is None or one.log or other.log:
        return ABSOLUTE
    return made(one.price + sign * other.price, one.volume + sign * other.volume, False)


def added(one: Dimension, other: Dimension, sign: int, zeros: tuple[bool, bool] = (False, False)) -> Dimension:
    """Of one ± other. `zeros`: which of them is the number 0, which has every unit."""
    if one is None or other is None:
        return ABSOLUTE
    if one.log or other.log:
        if (one.log or one == FREE) and (other.log or other == FREE):
            return made(one.price + sign * other.price, one.volume + sign * other.volume, True)
        return ABSOLUTE
    return alike((one, other), zeros)


def alike(units: tuple[Dimension, ...], zeros: tuple[bool, ...]) -> Dimension:
    """The unit that all share, of those that are not the number 0."""
    held = {unit for unit, zero in zip(units, zeros, strict=True) if not zero}
    if not held:
        return FREE
    (unit, *more) = held
    return ABSOLUTE if more or (unit is not None and unit.log and any(zeros)) else unit


def compared(one: Dimension, other: Dimension, zeros: tuple[bool, bool]) -> Dimension:
    """Of 0 or 1: free where both sides have one unit."""
    return ABSOLUTE if alike((one, other), zeros) is None else FREE


def kept(unit: Dimension) -> Dimension:
    """Of an average, an extreme or an earlier value."""
    return unit


def scaled(unit: Dimension) -> Dimension:
    """Of a difference or a deviation: a shift drops out."""
    return FREE if unit is not None and unit.log else unit


def standardised(unit: Dimension) -> Dimension:
    """Of what is divided by its own deviation."""
    return ABSOLUTE if unit is None else FREE


def size(unit: Dimension) -> Dimension:
    """Of |x|."""
    return ABSOLUTE if unit is not None and unit.log else unit


def direction(unit: Dimension) -> Dimension:
    """Of the sign of x."""
    return ABSOLUTE if unit is None or unit.log else FREE


def logarithm(unit: Dimension) -> Dimension:
    """Of ln x."""
    return ABSOLUTE if unit is None or unit.log else made(unit.price, unit.volume, True)


def only_free(unit: Dimension) -> Dimension:
    """Of what compares x with numbers or with other symbols."""
    return FREE if unit == FREE else ABSOLUTE
