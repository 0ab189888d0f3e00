"""Means over views: of every method, of its difference to the one in question, in every bin."""

from collections.abc import Sequence
from dataclasses import dataclass

from df2net_hub.evaluating.bootstrap import Interval, mean_interval
from df2net_hub.evaluating.parts import BUT_EYES, PARTS
from df2net_hub.evaluating.run import Evaluation, ViewResult

COMPARED = ("mean", "shift_only", "normal_deg", "detail")


@dataclass(frozen=True)
class MethodSummary:
    """One method over some views; `means` is empty where it has no result."""

    views: int
    found: int
    means: dict[str, Interval]


@dataclass(frozen=True)
class Summary:
    """All tables of a report as numbers.

    Attributes:
        methods: method -> its summary over all views.
        reference: the method that `differences` are taken to.
        differences: method -> measure -> its value less the reference's, on views of both.
        bins: kind -> bin -> method -> summary, bins in alphabetical order.
        parts: part of the face -> method -> summary over the views in which it is compared; empty
            where no view has landmarks.
    """

    methods: dict[str, MethodSummary]
    reference: str
    differences: dict[str, dict[str, Interval]]
    bins: dict[str, dict[str, dict[str, MethodSummary]]]
    parts: dict[str, dict[str, MethodSummary]]


def summarize(evaluation: Evaluation, reference: str | None = None, seed: int = 0) -> Summary:
    """The means; `reference` is the last stage where there is one, else the last method."""
    names, results = evaluation.methods, evaluation.results
    if reference is None:
        reference = "finer" if "finer" in names else names[-1]
    kinds = dict.fromkeys(kind for result in results for kind in result.bins)
    return Summary(
        methods={name: _summary(name, results, seed) for name in names},
        reference=reference,
        differences={
            name: _differences(name, reference, results, seed)
            for name in names
            if name != reference
        },
        bins={kind: _bins(kind, names, results, seed) for kind in kinds},
        parts=_parts(names, results, seed),
    )


def _summary(method: str, results: Sequence[ViewResult], seed: int) -> MethodSummary:
    found = [(r.identity, r.methods[method]) for r in results if method in r.methods]
    return _means(len(results), found, seed)


def _means(views: int, found: Sequence[tuple[str, dict[str, float]]], seed: int) -> MethodSummary:
    """The summary of (person, measure -> number) of the views with a result."""
    people = [person for person, _ in found]
    means = {
        name: mean_interval([values[name] for _, values in found], people, seed)
        for name in (found[0][1] if found else ())
    }
    return MethodSummary(views, len(found), means)


def _differences(
    method: str, reference: str, results: Sequence[ViewResult], seed: int
) -> dict[str, Interval]:
    both = [result for result in results if {method, reference} <= set(result.methods)]
    people = [result.identity for result in both]
    return {
        name: mean_interval(
            [r.methods[method][name] - r.methods[reference][name] for r in both], people, seed
        )
        for name in (COMPARED if both else ())
    }


def _bins(
    kind: str, names: Sequence[str], results: Sequence[ViewResult], seed: int
) -> dict[str, dict[str, MethodSummary]]:
    found = sorted({result.bins[kind] for result in results if kind in result.bins})
    return {
        one: {
            name: _summary(name, [r for r in results if r.bins.get(kind) == one], seed)
            for name in names
        }
        for one in found
    }


def _parts(
    names: Sequence[str], results: Sequence[ViewResult], seed: int
) -> dict[str, dict[str, MethodSummary]]:
    summaries: dict[str, dict[str, MethodSummary]] = {}
    for part in (*PARTS, BUT_EYES):
        for name in names:
            found = [
                (r.identity, r.parts[name][part]) for r in results if part in r.parts.get(name, {})
            ]
            if found:
                summaries.setdefault(part, {})[name] = _means(len(results), found, seed)
    return summaries
