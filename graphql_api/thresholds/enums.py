"""Which words do threshold rules use?"""

from domain.thresholds.machine import Turn
from domain.thresholds.model import Comparison, Dimension, Measure, Phase
from graphql_api.exposes import expose_enum

expose_enum(
    Measure,
    name="ThresholdMeasure",
    description="What a rule measures over its window. Alerts that rules raised are never counted.",
    values={
        Measure.COUNT: "How many alerts opened, or opened again.",
        Measure.RATE: "How many alerts opened a minute, over the window.",
        Measure.SERVICES: "Of how many services alerts opened.",
        Measure.ABSENCE: "Nothing arrived: no alert opened and none was repeated. It takes no thresholds.",
    },
)
expose_enum(
    Comparison,
    name="ThresholdComparison",
    description="On which side of the threshold it is wrong.",
    values={
        Comparison.AT_LEAST: "The threshold or more raises; less than `clearAt` clears.",
        Comparison.AT_MOST: "The threshold or less raises; more than `clearAt` clears.",
    },
)
expose_enum(
    Dimension,
    name="ThresholdDimension",
    description="By what a rule tells its groups apart: each has an alert of its own.",
    values={
        Dimension.SERVICE: "By service.",
        Dimension.TEAM: "By the team the alerts belong to.",
        Dimension.SEVERITY: "By severity.",
        Dimension.SOURCE: "By source.",
    },
)
expose_enum(
    Phase,
    name="ThresholdPhase",
    description="Where a rule is, for one of its groups.",
    values={
        Phase.INACTIVE: "The condition does not hold.",
        Phase.PENDING: "It holds, not yet for as long as `for` says.",
        Phase.FIRING: "Its alert was raised, and stands until the value is past `clearAt`.",
        Phase.RESOLVED: "It was firing within the last day.",
    },
)
expose_enum(
    Turn,
    name="ThresholdTurn",
    description="What a rule does at a minute's end.",
    values={
        Turn.RAISED: "It raises an alert.",
        Turn.CLEARED: "It resolves its alert.",
        Turn.FORGOTTEN: "It resolves the alert of a group of which nothing was heard for a week.",
    },
)

__all__ = ["Comparison", "Dimension", "Measure", "Phase", "Turn"]
