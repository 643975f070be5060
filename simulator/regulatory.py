"""Fees of the US regulators on sales of shares by the date of the sale, without a maximum: funding needs linear fees.
FINRA's Consolidated Audit Trail (CAT) fee, a share bought or sold, is not among them.

Each row of a table is in force from its day to the day before the next row's, and names the paper that it comes from.
Where only the rate or its day is in the paper that was at hand, the row names what gives the other: section 31(j)
makes a rate effective 30 days, since fiscal year 2012 60 days, after the year's appropriation is enacted. `UNVERIFIED`
rows have no such paper: whoever sells on their days is told (`unverified_rates`).
"""

import datetime as dt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MILLION = 1e6
UNVERIFIED = "unverified"


class Step(NamedTuple):
    """From `day` (ISO) on the rate is `rate`, as `source` says."""

    day: str
    rate: float
    source: str


Table = tuple[Step, ...]

SECTION_31: Table = (
    Step("1934-10-01", 100 / 3, "Securities Exchange Act of 1934, section 31: 1/300 of one percent"),
    Step("2001-12-28", 15.00, "SEC, 2001-12-21 and 2002-01-16, by the list 'SEC Fee Rates' of traderstatus.com"),
    Step("2002-04-01", 30.10, "SEC, 2002-03-01, by the same list; NASD Member Alert of 2003-03-03"),
    Step("2003-03-22", 25.20, "SEC Fee Rate Advisory #12 for Fiscal Year 2003 (2003-27); NASD Member Alert"),
    Step("2003-04-01", 46.80, "SEC Fee Rate Advisory #12 for Fiscal Year 2003 (2003-27), 2003-02-28"),
    Step("2004-02-22", 39.00, "SEC, 2004-01-26, by the list of traderstatus.com"),
    Step("2004-04-01", 23.40, "SEC Fee Rate Advisory #8 for Fiscal Year 2004, 2004-02-27"),
    Step("2005-01-07", 32.90, "SEC, 2004-12-09, by the list of traderstatus.com"),
    Step("2005-04-01", 41.80, "SEC Fee Rate Advisory #7 for Fiscal Year 2005, 2005-03-01"),
    Step("2005-12-22", 30.70, "SEC, November 2005, by the list of traderstatus.com"),
    Step("2007-03-17", 15.30, "SEC 2007-89 (rate in force); 30 days after the appropriation of 2007-02-15"),
    Step("2008-01-25", 11.00, "SEC Fee Rate Advisory #1 for Fiscal Year 2008 (2007-89); appropriation of 2007-12-26"),
    Step("2008-04-01", 5.60, "FINRA Information Notice of 3/10/08"),
    Step("2009-04-10", 25.70, "Traders Magazine of 2009-04-15; FINRA Information Notice of 10/2/09 (rate in force)"),
    Step("2010-01-15", 12.70, "SEC Fee Rate Advisory #4 for Fiscal Year 2010; FINRA Information Notice of 3/10/10"),
    Step("2010-04-01", 16.90, "FINRA Information Notice of 3/10/10"),
    Step("2011-01-21", 19.20, "SEC Fee Rate Advisory #5 for Fiscal Year 2011 (2010-255), 2010-12-22"),
    Step("2012-02-21", 18.00, "SEC Fee Rate Advisory #5 for Fiscal Year 2012, 2012-01-20"),
    Step("2012-04-01", 22.40, "SEC Fee Rate Advisory #6 for Fiscal Year 2012; SEC 2012-232 (rate in force)"),
    Step("2013-05-25", 17.40, "SEC Fee Rate Advisory #3 for Fiscal Year 2013; FINRA Information Notice of 3/3/14"),
    Step("2014-03-18", 22.10, "FINRA Information Notice of 3/3/14"),
    Step("2015-02-14", 18.40, "SEC order 34-74057 of 2015-01-15; appropriation of 2014-12-16"),
    Step("2016-02-16", 21.80, "SEC 2016-2 and order in 81 FR 1458; FINRA Information Notice of 3/15/16"),
    Step("2017-07-04", 23.10, "SEC Fee Rate Advisory #3 for Fiscal Year 2017"),
    Step("2018-05-22", 13.00, "FINRA Information Notice of 5/7/18"),
    Step("2019-04-16", 20.70, "SEC Fee Rate Advisory #2 for Fiscal Year 2019, 2019-03-12"),
    Step("2020-02-18", 22.10, "FINRA Information Notice of 2/3/20; SEC order 34-87918"),
    Step("2021-02-25", 5.10, "SEC Fee Rate Advisory #2 for Fiscal Year 2021; FINRA Information Notice of 2/16/21"),
    Step("2022-05-14", 22.90, "SEC Fee Rate Advisory #2 for Fiscal Year 2022 (2022-60); appropriation of 2022-03-15"),
    Step("2023-02-27", 8.00, "SEC order 34-96724 of 2023-01-23 (2023-15); appropriation of 2022-12-29"),
    Step("2024-05-22", 27.80, "SEC order 34-99973 of 2024-04-17 (2024-47); appropriation of 2024-03-23"),
    Step("2025-05-14", 0.00, "FINRA Information Notice of 4/24/25; SEC advisory 2025-2"),
    Step("2026-04-04", 20.60, "SEC advisory 2026-2, Federal Register 2026-04233"),
)  # fmt: skip
"""Section 31 of the Securities Exchange Act, dollars a million of sale value. Sales over the counter of shares that no
exchange lists are charged only since 1997; the table charges every sale as one on an exchange."""

TRADING_ACTIVITY: Table = (
    Step("2002-10-01", 0.0001, "NASD Notice to Members 02-63 and NASD's rates of 2002-10-17"),
    Step("2003-03-02", 0.0001, UNVERIFIED),  # the pilot ended on 2003-03-01; a lower rate was charged for some months
    Step("2003-09-01", 0.0001, "NASD Notice to Members 03-43, SR-NASD-2003-93"),
    Step("2004-11-01", 0.000075, "NASD Notice to Members 04-84; FINRA Regulatory Notice 11-27"),
    Step("2011-07-01", 0.000090, "FINRA Regulatory Notice 11-27"),
    Step("2012-03-01", 0.000095, "FINRA Regulatory Notice 12-06"),
    Step("2012-07-01", 0.000119, "FINRA Regulatory Notice 12-31"),
    Step("2022-01-01", 0.000130, "SR-FINRA-2020-032, 85 FR 66592"),
    Step("2023-01-01", 0.000145, "SR-FINRA-2020-032, 85 FR 66592"),
    Step("2024-01-01", 0.000166, "SR-FINRA-2020-032, 85 FR 66592"),
    Step("2026-01-01", 0.000195, "SR-FINRA-2024-019, 89 FR 93709"),
    Step("2026-10-01", 0.0, "SR-FINRA-2026-021, release 34-106409: a pause"),
    Step("2027-01-01", 0.000195, UNVERIFIED),  # SR-FINRA-2024-019 said 0.000232; SR-FINRA-2026-020 is said to hold it
)  # fmt: skip
"""FINRA's, before 2007 NASD's, Trading Activity Fee on covered equities, dollars a share; none before the first day."""


def in_force(table: Table, days: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """The rate of a table on each of `days` (n,); 0 before its first date."""
    rates = np.array([0.0] + [step.rate for step in table])
    found: NDArray[np.float64] = rates[_rows(table, days)]
    return found


def sell_rates(days: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """Fraction of the value of a sale on each of `days` (n,): section 31."""
    return in_force(SECTION_31, days) / MILLION


def sell_fees_a_share(days: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """Money a share sold on each of `days` (n,): the Trading Activity Fee."""
    return in_force(TRADING_ACTIVITY, days)


def unverified_rates(table: Table, days: NDArray[np.datetime64]) -> list[Step]:
    """The rows that hold for any of `days` (n,) and that no paper vouches for, in order of their day."""
    rows = np.unique(_rows(table, days))
    return [table[row - 1] for row in rows if row > 0 and table[row - 1].source == UNVERIFIED]


def _rows(table: Table, days: NDArray[np.datetime64]) -> NDArray[np.intp]:
    """One more than the row in force on each day, 0 before the first."""
    starts = np.array([dt.date.fromisoformat(step.day) for step in table], dtype="datetime64[D]")
    return np.searchsorted(starts, days.astype("datetime64[D]"), side="right")
