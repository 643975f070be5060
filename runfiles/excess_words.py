"""What stands beside excesses over baselines, in the same words on the site and in `report.html`."""

RATIO = "An excess is a ratio of growths, not a difference of returns: (1 + policy) / (1 + baseline) − 1 a year."
LIMITS = (
    "The verdict's interval is of the least excess over all baselines at once. Its lower limit is the lowest of the "
    "rows' lower limits; its upper limit is the lowest of their upper limits, each first widened because there are "
    "several rows. So it can be narrower than the row of the baseline that the verdict names: another may end lower."
)
INTERVAL = "95 % interval of the excess over the best of the baselines, whichever it is; each one's own is in the table"
SHOWN_ONLY = "shown only"
SHOWN_ONLY_MEANS = "Not among the baselines that the verdict counts"
TAGS = {
    "too_short": "too short to tell",
    "worse": "worse than the best baseline",
    "shown": "shown to be skill",
    "not_shown": "not shown to be skill",
}
