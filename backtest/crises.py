"""Named stretches of market history in which a strategy's temper shows. Standard library only.

Dates are sessions of New York. Sources: the peak and trough of the S&P 500 where a fall is named (price
index of S&P Dow Jones Indices), and the official record named in each row.
"""

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class Crisis:
    """`start` and `end` bound the window, both within it; `source` says what the dates rest on."""

    key: str
    label: str
    start: dt.date
    end: dt.date
    source: str


_ROWS: tuple[tuple[str, str, str, str, str], ...] = (
    ("black_monday_1987", "Black Monday", "1987-08-25", "1987-12-04",
     "S&P 500 peak and trough; Brady Commission report of January 1988"),
    ("gulf_1990", "Gulf war and recession", "1990-07-16", "1990-10-11",
     "S&P 500 peak and trough; NBER peak of July 1990"),
    ("bonds_1994", "Bond market rout", "1994-02-02", "1994-04-04",
     "S&P 500 peak and trough; first rise of the federal funds rate on 4 February 1994"),
    ("asia_1997", "Asian crisis", "1997-10-07", "1997-10-27",
     "S&P 500 peak and trough; SEC report on the market break of 27 and 28 October 1997"),
    ("ltcm_1998", "Russia and LTCM", "1998-07-17", "1998-10-08",
     "S&P 500 peak and end of its second fall; President's Working Group report of April 1999"),
    ("dot_com_2000", "Dot-com bust", "2000-03-24", "2002-10-09",
     "S&P 500 peak and trough"),
    ("september_2001", "September 11", "2001-09-10", "2001-10-11",
     "Last close before the exchanges shut until 17 September, and the first close above it"),
    ("financial_2008", "Financial crisis", "2007-10-09", "2009-03-09",
     "S&P 500 peak and trough; Financial Crisis Inquiry Commission report of January 2011"),
    ("lehman_2008", "Lehman weeks", "2008-09-12", "2008-11-20",
     "Last close before the bankruptcy of 15 September 2008, and the year's lowest close of the S&P 500"),
    ("flash_crash_2010", "Flash crash and first euro crisis", "2010-04-23", "2010-07-02",
     "S&P 500 peak and trough; SEC and CFTC report on 6 May 2010"),
    ("debt_ceiling_2011", "US downgrade and euro crisis", "2011-07-22", "2011-10-03",
     "S&P 500 high before the fall and low of the year; downgrade by Standard and Poor's on 5 August 2011"),
    ("taper_2013", "Taper tantrum", "2013-05-21", "2013-06-24",
     "S&P 500 peak and trough; Federal Reserve testimony of 22 May 2013"),
    ("china_2015", "China and oil", "2015-07-20", "2016-02-11",
     "S&P 500 high of July 2015 and low of February 2016; SEC research note on 24 August 2015"),
    ("volatility_2018", "Volatility shock", "2018-01-26", "2018-02-08",
     "S&P 500 peak and trough; FINRA and SEC notices on volatility products"),
    ("fourth_quarter_2018", "Fourth quarter of 2018", "2018-09-20", "2018-12-24",
     "S&P 500 peak and trough"),
    ("covid_2020", "Covid", "2020-02-19", "2020-03-23",
     "S&P 500 peak and trough; NBER peak of February 2020"),
    ("rates_2022", "Inflation and rates", "2022-01-03", "2022-10-12",
     "S&P 500 peak and trough; first rise of the federal funds rate on 16 March 2022"),
    ("banks_2023", "Regional banks", "2023-03-08", "2023-03-13",
     "Last close before Silicon Valley Bank's loss was told, and the month's lowest close of the S&P 500"),
)  # fmt: skip

CRISES: dict[str, Crisis] = {
    key: Crisis(key, label, dt.date.fromisoformat(start), dt.date.fromisoformat(end), source)
    for key, label, start, end, source in _ROWS
}


def window(text: str) -> Crisis:
    """The named crisis, or the user's own `2015-01-02..2015-06-30`. Raises ValueError with the end of a sentence."""
    if text in CRISES:
        return CRISES[text]
    start, dots, end = text.partition("..")
    try:
        first, last = dt.date.fromisoformat(start), dt.date.fromisoformat(end)
    except ValueError as error:
        hint = "is no pair of days such as 2015-01-02..2015-06-30" if dots else f"is none of {', '.join(CRISES)}"
        raise ValueError(f"{text!r}, which {hint}") from error
    if first >= last:
        raise ValueError(f"{text!r}, whose start does not lie before its end")
    return Crisis(text, f"{first} to {last}", first, last, "the user")
