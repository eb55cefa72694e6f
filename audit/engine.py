"""Plan, run the checks, judge, and put the whole together. The one place where a crashed check is caught."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path
from typing import Any, Protocol

from audit import plan as planning
from audit import wording
from audit.case import Case
from audit.data import Dataset
from audit.errors import AuditError, CheckError, Unavailable
from audit.inputs.predictions import of_label
from audit.inputs.training_evidence import refuse_bad_record
from audit.labels import label_case
from audit.machine import apart_from, describe
from audit.plan import Facts, Item, law_of, present, rules_of
from audit.policy.gate import decide, waive, waiver_faults
from audit.policy.judge import judge
from audit.policy.packs import Pack, waivers
from audit.policy.waivers import check_waivers
from audit.record import AuditRun
from audit.registry import CLASS, Registry, load_check, load_input, load_params
from audit.results import EXPLAINED, ROW_EVIDENCE, Evidence, MeasureNote, Omission, Outcome, Reason, Record
from audit.resuming import Resume
from audit.spec import Loaded, relative
from audit.stats import Ledger, Look, read_ledger, seed_for, write_ledger
from audit.store.folder import identified

MOST_CHARTED = 6  # labels of a multilabel task


class Progress(Protocol):
    """Who is told how far the audit is."""

    def start(self, total: int) -> None: ...
    def step(self, name: str) -> None: ...


class Silent:
    def start(self, total: int) -> None:
        """Nobody is told."""

    def step(self, name: str) -> None:
        """Nobody is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How an audit is run, beyond what audit.toml says."""

    policy: Pack | None = None
    baseline: AuditRun | None = None
    costs: tuple[str, ...] = ("instant", "predict", "gradient")
    command: str = ""
    today: date | None = None  # of the waivers; a test may set it
    resume: Resume | None = None  # what an interrupted audit of the same inputs left
    progress: Progress = field(default_factory=Silent)


def run_audit(case: Case, loaded: Loaded, registry: Registry, settings: Settings | None = None) -> AuditRun:
    """Measure, judge, and return the whole. AuditError when the audit cannot be made at all."""
    settings = settings or Settings()
    started, clock = datetime.now(UTC), time.monotonic()
    notes = registry.notes_of(case.spec.labels)
    law = law_of(loaded, notes, settings.policy)
    today = settings.today or started.date()
    check_waivers(waivers(case.spec), case.spec.gate, today)
    refuse_bad_record(case.spec.training, case.root)
    items = planning.make(registry, facts_of(case), law.limits, settings.costs)
    runner = Runner(case=case, registry=registry, resume=settings.resume)
    records, timings = runner.run(items, settings.progress)
    ledger, look = spent(case.spec.stats.ledger, case.root, lambda: runner.made("fingerprints", "test"))
    docs = {info.id: info.doc for info in registry.checks.values()}
    elsewhere = apart_from(settings.baseline.machine) if settings.baseline else ""
    notes = _in_their_units(notes, records)
    rules = replace(rules_of(case.spec, notes, docs, settings.baseline, look), elsewhere=elsewhere)
    findings = waive(judge(law.limits, records, rules), waivers(case.spec), today)
    decision = decide(findings, case.spec.gate)
    faults = waiver_faults(findings, waivers(case.spec), today)
    run = AuditRun(
        id="",
        name=case.spec.name,
        purpose=case.spec.purpose,
        verdict=decision.verdict,
        exit_code=int(decision.exit_code),
        exit_reason="; ".join([decision.reason, *faults, *look_words(look, rules.confidence)]),
        findings=findings,
        records=tuple(records),
        model=case.model_summary(),
        data=case.data_summaries(),
        spec=loaded.raw,
        spec_sha256=loaded.sha256,
        packs={pack.id: pack.sha256 for pack in law.packs},
        confidence=case.spec.stats.confidence,
        seed=case.spec.stats.seed,
        measures=rules.measures,
        docs={item.check.id: item.check.doc for item in items},
        notices=tuple(sorted({notice for record in records for notice in record.outcome.notices})),
        baseline=settings.baseline.id if settings.baseline else "",
        look=look,
        machine=replace(
            describe(started, time.monotonic() - clock, timings, settings.command, case.root),
            resumed=tuple(settings.resume.taken) if settings.resume else (),
        ),
    )
    if ledger is not None and case.spec.stats.ledger:
        write_ledger(relative(case.root, case.spec.stats.ledger), ledger)  # only now: a crashed audit has shown nothing
    return identified(run)


def _in_their_units(notes: Mapping[str, MeasureNote], records: Sequence[Record]) -> dict[str, MeasureNote]:
    """The notes with the unit that the measurements of these records are in, where a check left that to them."""
    found = {m.name: m.unit for record in records for m in record.outcome.measurements}
    return {
        name: replace(note, unit=found.get(name, EXPLAINED)) if note.unit == EXPLAINED else note
        for name, note in notes.items()
    }


def spent(path: str | None, root: Path, fingerprints: Callable[[], Any]) -> tuple[Ledger | None, Look | None]:
    """The ledger with this look in it, not yet written, and the look; nothing where no ledger was named."""
    if path is None:
        return None, None
    found = fingerprints()
    return read_ledger(relative(root, path)).spend(found.audit_set, found.model)


def look_words(look: Look | None, confidence: float) -> list[str]:
    """What the ledger made of this audit, for the reader of its verdict."""
    if look is None:
        return []
    return [f"look {look.index} at this test data, judged on {wording.level(confidence)} intervals"]


def facts_of(case: Case) -> Facts:
    """What the case really holds, now that it is open."""
    test = case.datasets["test"]
    return Facts(
        task=case.task,
        has=present(case.spec, has_model=case.model is not None, names=case.datasets),
        roles=planning.roles_named(test.roles),
        kinds=frozenset(test.columns[name].kind for name in test.roles.features),
        labels=case.spec.labels,
    )


@dataclass(kw_only=True)
class Runner:
    """Runs the items of a plan; each input is made once for each data set and shared by all checks."""

    case: Case
    registry: Registry
    resume: Resume | None = None
    _made: dict[tuple[str, str], Any] = field(default_factory=dict)
    _labels: dict[str, Runner] = field(default_factory=dict)

    def run(self, items: Sequence[Item], progress: Progress) -> tuple[list[Record], dict[str, float]]:
        """(records in plan order, seconds by check). AuditError when the shared inference pass itself fails."""
        progress.start(len(items) + 1)
        progress.step("predictions")
        clock = time.monotonic()
        self._predict_once(items)
        timings = {"predictions": time.monotonic() - clock}
        records = []
        for item in items:
            progress.step(f"{item.check.id} of {item.label}" if item.label else item.check.id)
            record, timings[_key(item)] = self._taken(item) or self._measured(item)
            records.append(record)
        return records, timings

    def _taken(self, item: Item) -> tuple[Record, float] | None:
        return self.resume.record(_key(item), item) if self.resume else None

    def _measured(self, item: Item) -> tuple[Record, float]:
        clock = time.monotonic()
        record = self._record(item)
        seconds = time.monotonic() - clock
        if self.resume:
            self.resume.keep(_key(item), record, seconds)
        return record, seconds

    def _predict_once(self, items: Sequence[Item]) -> None:
        """A model that does not fit its data is the user's to mend, so it ends the audit instead of every check."""
        for on in dict.fromkeys(item.on for item in items if item.omission is None):
            try:
                self._predict(on)
            except Unavailable as reason:
                self._made["predictions", on] = reason
                continue
            if any(item.on == on and item.omission is None and "baseline" in item.check.inputs for item in items):
                self._baseline(on)

    def _baseline(self, on: str) -> None:
        """A baseline that does not fit is the user's to mend as well."""
        try:
            self.made("baseline", on)
        except Unavailable:
            return  # said by each check that asks for it

    def _predict(self, on: str) -> None:
        if self.resume and on in self.case.datasets:
            data = self.case.datasets[on]
            if (kept := self.resume.predictions(data)) is not None:
                self._made["predictions", on] = kept
            self.resume.made(data, self.made("predictions", on))
        else:
            self.made("predictions", on)

    def _record(self, item: Item) -> Record:
        info = item.check
        outcome, crash = self._outcome(item)
        return Record(
            check=info.id,
            family=info.family,
            on=item.on,
            cost=info.cost,
            outcome=self._allowed(outcome),
            params=item.about,
            traceback=crash,
        )

    def _outcome(self, item: Item) -> tuple[Outcome, str]:
        if item.omission is not None:
            return Outcome(omissions=(item.omission,)), ""
        try:
            try:
                return self._checked(item, self._call(item)), ""
            except Unavailable as reason:
                return Outcome(omissions=(_as_omission(reason),)), ""
        except AuditError as error:
            return _crashed(item, str(error), "mend what the message names"), traceback.format_exc()
        except Exception as error:  # noqa: BLE001  # one broken check must not hide the others, and can never pass
            detail = f"{type(error).__name__}: {error}"
            return _crashed(item, detail, "a defect of the check: report it with --debug"), traceback.format_exc()

    def _call(self, item: Item) -> Outcome:
        if item.label:
            return self._of(item.label)._call(replace(item, label=""))
        info = item.check
        arguments = {name: self._for(info.id, name, item.on) for name in info.inputs}
        if info.takes_params:
            arguments["params"] = load_params(info)(**item.params)
        outcome: Outcome = load_check(info)(**arguments)
        return outcome

    def _of(self, label: str) -> Runner:
        """What runs the checks of one label: it shares the one inference pass, and what has nothing to do with labels.

        Raises DataError for a column that does not say whether the label holds.
        """
        if label not in self._labels:
            at = self.case.classes.index(label)
            runner = Runner(case=label_case(self.case, at), registry=self.registry)
            for on, name in product(self.case.datasets, ("predictions", "groups", "sampling")):
                found = self._kept(name, on)
                if name == "predictions" and not isinstance(found, Unavailable):
                    found = of_label(found, runner.case, at)
                runner._made[name, on] = found
            self._labels[label] = runner
        return self._labels[label]

    def _kept(self, name: str, on: str) -> Any:
        try:
            return self.made(name, on)
        except Unavailable as reason:
            return reason

    def made(self, name: str, on: str) -> Any:
        """The input ``name`` for the data set ``on``. What could not be had stays so: it is asked for only once."""
        match name:
            case "case":
                return self.case
            case "data":
                return self._data(on)
            case "level":
                return self.case.spec.stats.confidence
        if (name, on) not in self._made:
            self._made[name, on] = self._make(name, on)
        found = self._made[name, on]
        if isinstance(found, Unavailable):
            raise found
        return found

    def _make(self, name: str, on: str) -> Any:
        info = self.registry.inputs[name]
        try:
            return load_input(info)(**{inner: self._for(name, inner, on) for inner in info.inputs})
        except Unavailable as reason:
            return reason

    def _for(self, owner: str, name: str, on: str) -> Any:
        """An argument of ``owner``: a random stream is keyed by the name of who asks, so that none moves another's."""
        return seed_for(self.case.spec.stats.seed, owner) if name == "seed" else self.made(name, on)

    def _data(self, on: str) -> Dataset:
        if on not in self.case.datasets:
            raise Unavailable("missing_input", f"there is no [data.{on}]", f"give [data.{on}] path")
        return self.case.datasets[on]

    def _checked(self, item: Item, outcome: object) -> Outcome:
        """CheckError when a check returns what it did not declare."""
        if not isinstance(outcome, Outcome):
            raise CheckError(f"{item.check.id} returned {type(outcome).__name__}, a check returns Outcome")
        if item.label:
            positive = str(self._of(item.label).case.positive)
            outcome = told_apart(outcome, positive, self.case.classes.index(item.label))
        named = {m.name for m in outcome.measurements} | {o.name for o in outcome.omissions if o.name}
        for name in sorted(named):
            if name not in item.check.measures:
                raise CheckError(f'{item.check.id} returned "{name}", which MEASURES does not declare')
        wrong = [m for m in outcome.measurements if item.check.measures[m.name].unit not in {m.unit, EXPLAINED}]
        if wrong:
            raise CheckError(f'{item.check.id} returned "{wrong[0].name}" in {wrong[0].unit}, MEASURES says otherwise')
        if not item.about:
            return outcome
        return replace(
            outcome,
            measurements=tuple(replace(m, params={**m.params, **item.about}) for m in outcome.measurements),
            omissions=tuple(replace(o, params={**o.params, **item.about}) for o in outcome.omissions),
            evidence=tuple(_headed(e, item.label) for e in outcome.evidence) if item.label else outcome.evidence,
        )

    def _allowed(self, outcome: Outcome) -> Outcome:
        """Without what shows single rows, unless [evidence] rows allows it."""
        shown = tuple(item for item in outcome.evidence if not isinstance(item, ROW_EVIDENCE))
        if self.case.spec.evidence.rows != "none" or len(shown) == len(outcome.evidence):
            return outcome
        kept_back = Omission(
            name="",
            reason=Reason.SKIPPED,  # nothing is wrong with them
            detail=f"{wording.count(len(outcome.evidence) - len(shown), 'picture')} of single rows not stored",
            remedy='set rows = "sample" in [evidence] if rows may be shown',
        )
        return replace(outcome, evidence=shown, omissions=(*outcome.omissions, kept_back))


def told_apart(outcome: Outcome, positive: str, at: int) -> Outcome:
    """What is said of a label: of its two classes only that it holds, and charts of the first labels only."""
    kept: dict[str, Any] = {
        name: tuple(one for one in getattr(outcome, name) if one.params.get(CLASS, positive) == positive)
        for name in ("measurements", "omissions")
    }
    if at < MOST_CHARTED or not outcome.evidence:
        return replace(outcome, **kept)
    left_out = Omission(
        name="",
        reason=Reason.SKIPPED,
        detail=f"charts and tables are stored for the first {MOST_CHARTED} labels, and this one comes later",
        remedy="read its numbers, or name it earlier in target",
    )
    return replace(outcome, **{**kept, "omissions": (*kept["omissions"], left_out), "evidence": ()})


def _headed(item: Evidence, label: str) -> Evidence:
    return replace(item, name=f"{item.name} of {label}", title=wording.text(f"{item.title}: {label}"))


def _as_omission(reason: Unavailable) -> Omission:
    if reason.reason not in set(Reason):
        raise CheckError(f'Unavailable gives "{reason.reason}" as its reason: it is one of {", ".join(Reason)}')
    return Omission(name="", reason=Reason(reason.reason), detail=reason.detail, remedy=reason.remedy)


def _crashed(item: Item, detail: str, remedy: str) -> Outcome:
    omission = Omission(name="", reason=Reason.ERROR, detail=f"{item.check.id}: {detail}", remedy=remedy)
    return Outcome(omissions=(omission,))


def _key(item: Item) -> str:
    params = "".join(f"[{k}={v}]" for k, v in sorted(item.about.items()))
    return f"{item.check.id}{params}" + ("" if item.on == "test" else f"#{item.on}")
