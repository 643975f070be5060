"""Fees of the US regulators on sales of shares by the date of the sale, without a maximum: funding needs linear fees.

`SECTION_31`: section 31 of the Securities Exchange Act, dollars a million of sale value; 1/300 of one percent before
2001-12-28. Sources: FINRA's information notices of 3/10/08, 3/10/10, 3/3/14, 5/7/18, 2/3/20 and 4/24/25; the SEC's
advisories 2007-89 (15.30, 11.00), 2010-255 and 2012-232 (22.40), and those of 2017-07-04, 2019-04-16 and 2021-02-25 as
reported in the trade press; for 2001 to 2005 the list "SEC Fee Rates" of traderstatus.com; for 2009 Traders Magazine of
2009-04-15; for 2026 Federal Register 2026-04233. No source was at hand for the exact day of the steps of 2007, January
2008, January 2010, 2012, 2013, 2015, 2016, 2022, 2023 and 2024, which is remembered.

`TRADING_ACTIVITY`: FINRA's, before 2007 NASD's, fee on covered equities, dollars a share. Sources: NASD notices 02-63,
03-43 and 04-84, FINRA notices 11-27 and 12-06, Federal Register 2012-11246, SR-FINRA-2024-019, SR-FINRA-2026-021 (a
pause in the last quarter of 2026). The steps of 2022 and 2023 are remembered from SR-FINRA-2020-032. A lower rate of
some months before September 2003 is not known to the day and left out.
"""

import datetime as dt

import numpy as np
from numpy.typing import NDArray

MILLION = 1e6

SECTION_31: tuple[tuple[str, float], ...] = (
    ("1934-10-01", 100 / 3), ("2001-12-28", 15.00), ("2002-04-01", 30.10), ("2003-03-22", 25.20),
    ("2003-04-01", 46.80), ("2004-02-22", 39.00), ("2004-04-01", 23.40), ("2005-01-07", 32.90),
    ("2005-04-01", 41.80), ("2005-12-22", 30.70), ("2007-03-17", 15.30), ("2008-01-25", 11.00),
    ("2008-04-01", 5.60), ("2009-04-10", 25.70), ("2010-01-15", 12.70), ("2010-04-01", 16.90),
    ("2011-01-21", 19.20), ("2012-02-21", 18.00), ("2012-04-01", 22.40), ("2013-05-25", 17.40),
    ("2014-03-18", 22.10), ("2015-02-14", 18.40), ("2016-02-16", 21.80), ("2017-07-04", 23.10),
    ("2018-05-22", 13.00), ("2019-04-16", 20.70), ("2020-02-18", 22.10), ("2021-02-25", 5.10),
    ("2022-05-14", 22.90), ("2023-02-27", 8.00), ("2024-05-22", 27.80), ("2025-05-14", 0.00),
    ("2026-04-04", 20.60),
)  # fmt: skip

TRADING_ACTIVITY: tuple[tuple[str, float], ...] = (
    ("2002-10-01", 0.0001), ("2004-11-01", 0.000075), ("2011-07-01", 0.000090), ("2012-03-01", 0.000095),
    ("2012-07-01", 0.000119), ("2022-01-01", 0.000130), ("2023-01-01", 0.000145), ("2024-01-01", 0.000166),
    ("2026-01-01", 0.000195), ("2026-10-01", 0.0), ("2027-01-01", 0.000195),
)  # fmt: skip


def in_force(table: tuple[tuple[str, float], ...], days: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """The rate of a table on each of `days` (n,); 0 before its first date."""
    dates = np.array([dt.date.fromisoformat(day) for day, _ in table], dtype="datetime64[D]")
    rates = np.array([0.0] + [rate for _, rate in table])
    found: NDArray[np.float64] = rates[np.searchsorted(dates, days.astype("datetime64[D]"), side="right")]
    return found


def sell_rates(days: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """Fraction of the value of a sale on each of `days` (n,): section 31."""
    return in_force(SECTION_31, days) / MILLION


def sell_fees_a_share(days: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """Money a share sold on each of `days` (n,): the Trading Activity Fee."""
    return in_force(TRADING_ACTIVITY, days)
