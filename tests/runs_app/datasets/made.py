"""Files of prices, made up."""

import datetime as dt

DAYS = [dt.date(2020, 1, 2) + dt.timedelta(days) for days in range(200)]
CLOSED = {dt.date(2020, 1, 20), dt.date(2020, 2, 17), dt.date(2020, 4, 10), dt.date(2020, 5, 25), dt.date(2020, 7, 3)}
SESSIONS = [day for day in DAYS if day.weekday() < 5 and day not in CLOSED]


def prices(symbols: str = "AB", *, level: float = 100.0) -> str:
    """A long CSV: a row a session and symbol, closes that wander a little."""
    rows = ["date,symbol,open,high,low,close,volume"]
    for place, day in enumerate(SESSIONS):
        for number, symbol in enumerate(symbols):
            close = level * (1 + 0.01 * ((place * (7 + number)) % 13)) + number
            rows.append(f"{day},{symbol},{close - 0.5:.2f},{close + 1:.2f},{close - 1:.2f},{close:.2f},{1000 + place}")
    return "\n".join(rows) + "\n"
