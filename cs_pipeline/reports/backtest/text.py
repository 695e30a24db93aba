"""Words for the figures of a backtest, of proposed weights and of steadiness, for heads of customer success. Pure."""

from dataclasses import dataclass
from typing import Literal

from cs_pipeline.backtest.comparison import IN_TIME_WEEKS, Backtest, ModelResult
from cs_pipeline.backtest.design import FEWEST_ACCOUNTS
from cs_pipeline.backtest.likelihood import Reliability
from cs_pipeline.backtest.measures import DidNotLearn, Interval, Separation, TooLittle
from cs_pipeline.backtest.steadiness import SteadinessReport
from cs_pipeline.backtest.tuning import STEP, Coverage, Proposal, Weight
from cs_pipeline.health.metrics import METRICS

Level = Literal["good", "useful", "weak", "poor", "unknown"]

GOOD_AUC, USEFUL_AUC, WEAK_AUC = 0.8, 0.7, 0.6
TELLING_AUC = 0.55
"""AUC of the week alone, at the nearer end of its interval, from which it is worth a warning."""
MOST_SCORED = 0.95
SLIGHT = 0.05
"""Difference in the share of a metric's points below which it tells leavers from stayers hardly at all."""
MOST_LOST = 0.05
"""Share of the literal warnings that a setting of steadiness may lose before no saving is worth it (ours)."""


@dataclass(frozen=True)
class Verdict:
    """How good a model is: a level, a headline, and sentences that give its reasons."""

    level: Level
    headline: str
    reasons: list[str]


def verdict(result: ModelResult) -> Verdict:
    """The verdict on one model."""
    if isinstance(result.whole, TooLittle):
        return Verdict("unknown", f"{_sentence(str(result.whole))}.", _coverage(result))
    level, headline = _separates(result.whole.auc)
    reasons = [
        *_coverage(result),
        *_pairs(result.whole),
        *_bands(result),
        *_warning(result),
        *_baselines(result),
        likelihoods(result.reliability),
    ]
    return Verdict(level, headline, reasons)


def summary(found: Backtest) -> str:
    """What was looked at, and what of all that left was not."""
    sentences = [
        f"{found.accounts:,} accounts, of which {found.departures:,} left, "
        f"in {len(found.observations):,} observations: {found.design.words}.",
        found.known_departures.words,
        _calendar(found.calendar),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def tuning_verdict(proposal: Proposal) -> str:
    """One sentence on whether the proposed weights are better."""
    if not proposal.is_changed:
        return "Nothing in the data asks for other weights: the present ones stay."
    if isinstance(proposal.gain, TooLittle):
        return (
            f"On the later part there is {proposal.gain}. The proposal follows the earlier part only and is not tested."
        )
    figures = f"the AUC from {proposal.test_from.date()} on changes by {proposal.gain.value:+.3f} "
    figures += f"({proposal.gain.low:+.3f} to {proposal.gain.high:+.3f})"
    if proposal.is_better:
        return f"Better on weeks that it has not seen: {figures}. See with `cs-pipeline model diff` what it would do."
    if proposal.gain.high < 0:
        return f"Worse on weeks that it has not seen: {figures}. Keep the present weights."
    return f"Not better for sure on weeks that it has not seen: {figures}. Keep the present weights."


def coverage_kept(coverage: Coverage) -> str:
    """Who has a score before and after, in the newest week."""
    gained = coverage.after + coverage.lost - coverage.before
    more = f", and {gained:,} more would have one" if gained else ""
    return (
        f"{coverage.before:,} of {coverage.accounts:,} accounts have a score in the week {coverage.week}; "
        f"{'none' if not coverage.lost else f'{coverage.lost:,}'} of them would lose it{more}."
    )


def why_weight_moved(weight: Weight) -> str:
    """Why a weight moved, or stays."""
    words, change = METRICS[weight.metric].words, weight.after - weight.before
    if weight.earned is None:
        moves = "moves only so that all add up" if change else "stays"
        return f"{words}: known of too few to say; {moves}"
    left, stayed = weight.earned
    figures = f"those who left had {left:.0%} of its points, those who stayed {stayed:.0%}"
    gap = stayed - left
    if abs(change) < STEP:
        return f"{words}: stays; {figures}"
    if change > 0:
        return f"{words}: {figures}" if gap > SLIGHT else f"{words}: takes up what others lose; {figures}"
    if gap <= 0:
        return f"{words}: points the wrong way, or nowhere; {figures}"
    if gap <= SLIGHT:
        return f"{words}: tells them hardly apart; {figures}"
    return f"{words}: tells less than the others, or what they tell already; {figures}"


def steadiness_verdict(report: SteadinessReport) -> str:
    """One or two sentences on which setting saves most, and what it costs."""
    literal, *others = report.outcomes
    if report.departures < FEWEST_ACCOUNTS:
        return (
            f"Too little data to say what steadiness costs: {report.departures} accounts left in these weeks, and "
            f"{FEWEST_ACCOUNTS} are needed. The triggers saved are counted all the same."
        )
    if not literal.warned:
        return f"None of {report.departures} that left was at risk before: steadiness has no warning to delay here."
    affordable = [outcome for outcome in others if outcome.lost <= MOST_LOST * literal.warned and outcome.saved > 0]
    if not affordable:
        return (
            f"No setting is worth it: each saves nothing, or loses more than {MOST_LOST:.0%} of the {literal.warned} "
            "warnings that the literal bands gave."
        )
    best = max(affordable, key=lambda outcome: (outcome.saved, -outcome.delayed))
    late = f"{best.delayed} of {literal.warned} departures are warned of later"
    by = f" (by {best.median_delay_weeks:g} weeks on the median)" if best.delayed else ""
    return (
        f"Of the settings that lose at most {MOST_LOST:.0%} of the warnings, '{best.setting}' saves most: "
        f"{best.saved:,} of {literal.triggers:,} triggers ({best.saved / literal.triggers:.0%}); "
        f"{late}{by}, {best.lost} no longer."
    )


def likelihoods(found: Reliability | TooLittle) -> str:
    """One sentence on how far likelihoods of leaving within 90 days were from what happened."""
    if isinstance(found, TooLittle):
        return f"No likelihood of the outcome within 90 days: {found}."
    figures = (
        "Likelihoods of the outcome within 90 days, stated each week from what was over by then, err by "
        f"{found.brier:.4f} (Brier score), the share that has it on average, said of everybody, by "
        f"{found.brier_of_base_rate:.4f}"
    )
    if found.skill <= 0:
        return f"{figures}: this score tells nothing for them."
    return f"{figures}: {found.skill:.0%} less."


def _calendar(found: Separation | TooLittle) -> str:
    """A warning where the week alone tells who leaves; empty where it hardly does."""
    if isinstance(found, TooLittle) or (found.auc.low <= TELLING_AUC and found.auc.high >= 1 - TELLING_AUC):
        return ""
    when = "later" if found.auc.value > 0.5 else "earlier"
    return (
        f"Those who left were looked at {when} than those who stayed: the week alone separates them with an AUC of "
        f"{found.auc}. A metric that only follows the calendar looks good here."
    )


def _separates(auc: Interval) -> tuple[Level, str]:
    if auc.high < 0.5:
        return "poor", "Points the wrong way: those who leave have the higher scores."
    if auc.low <= 0.5:
        return "poor", "Cannot be told from guessing: it does not separate those who leave from those who stay."
    if auc.value >= GOOD_AUC:
        return "good", "Separates well those who leave from those who stay."
    if auc.value >= USEFUL_AUC:
        return "useful", "Separates usefully: worth acting on, with many exceptions."
    if auc.value >= WEAK_AUC:
        return "weak", "Separates weakly: a hint among others, not a forecast."
    return "poor", "Separates poorly: hardly better than guessing."


def _coverage(result: ModelResult) -> list[str]:
    learned = result.model.learned_until
    judged = [] if learned is None else [f"Judged on weeks from {learned} on: it has learned from those before."]
    if result.scored > MOST_SCORED:
        return judged
    return [
        *judged,
        f"It has a score in {result.scored:.0%} of the observations; in the others too many metrics are missing.",
    ]


def _pairs(found: Separation) -> list[str]:
    auc = found.auc
    lift = (
        f"Among the tenth with the lowest scores, departures are {found.lift:.1f} times as frequent as on average."
        if found.lift > 0
        else "Nobody among the tenth with the lowest scores left."
    )
    return [
        f"Of two accounts, one that leaves and one that stays, the one that leaves has the lower score in "
        f"{100 * auc.value:.0f} of 100 pairs ({100 * auc.low:.0f} to {100 * auc.high:.0f} is what {found.departures} "
        "departures allow to say; 50 is guessing).",
        lift,
    ]


def _bands(result: ModelResult) -> list[str]:
    if isinstance(result.bands, TooLittle) or len(result.bands) < 2:
        return []
    best, worst = result.bands.iloc[0], result.bands.iloc[-1]
    words = (
        f"{worst['group']} was followed by a departure in {worst['share']:.1%} of the observations, "
        f"{best['group']} in {best['share']:.1%}"
    )
    if worst["low"] <= best["high"]:
        return [f"{words}: the bands are not told apart for sure."]
    return [f"{words}."]


def _warning(result: ModelResult) -> list[str]:
    if isinstance(result.alarms, TooLittle):
        return []
    return [
        f"Of {alarm.departed} that left, {alarm.in_time} were {alarm.name} {IN_TIME_WEEKS} weeks before and stayed so; "
        f"of observations of those who stayed, {alarm.share_of_stayers:.0%} were {alarm.name} as well."
        for alarm in result.alarms
    ]


def _baselines(result: ModelResult) -> list[str]:
    if isinstance(result.later, TooLittle):
        return [f"No comparison with the baselines: {result.later}, in the later part of the time."]
    known = [
        (f"{name} ({baseline.learned})" if baseline.learned else name, baseline.separation.auc, baseline.gain)
        for name, baseline in result.baselines.items()
        if isinstance(baseline.separation, Separation) and isinstance(baseline.gain, Interval)
    ]
    unlearned = [
        f"{_sentence(name)}: {baseline.separation}."
        for name, baseline in result.baselines.items()
        if isinstance(baseline.separation, DidNotLearn)
    ]
    if not known:
        answer = next(iter(result.baselines.values())).separation
        return unlearned or [f"No comparison with the baselines: {answer}."]
    return [_beside(result.later.auc, *max(known, key=lambda each: each[2].value)), *unlearned]


def _beside(auc: Interval, name: str, of_baseline: Interval, gain: Interval) -> str:
    """One sentence on a model beside the best of its baselines."""
    here = f"on the later part the model reaches an AUC of {auc.value:.2f}, the {name} {of_baseline.value:.2f}"
    if gain.low > 0:
        return f"The same metrics hold more: {here}. Other points for them would separate better."
    if gain.high < 0:
        return f"Better than what was learned from the earlier part: {here}."
    return f"No baseline on the same metrics is better for sure: {here}."


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
