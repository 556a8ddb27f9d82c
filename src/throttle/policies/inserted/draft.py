"""What an inserter may look at and do to a portfolio."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from throttle_models import Finding, InsertedItem, Need, Portfolio, Status, WorkItem

PROGRESS = (
    "title", "status", "raw_status", "started", "finished", "created", "on_hold", "not_before", "needs", "priority",
    "tags", "inferred", "source",
)  # fmt: skip
"""What a written item of the same id may say of inserted work."""
TAKEN = ("status", "started", "finished", "on_hold", "not_before")
"""What of it the inserted item takes over as it is."""
FACTS = (Status.OPEN, Status.IN_PROGRESS, Status.DONE)
PLAIN = WorkItem()
PLAIN_NEED = Need(skill="any")


@dataclass
class Insertions:
    """Collects what is inserted into a portfolio, and how items change."""

    portfolio: Portfolio
    inserted: dict[str, InsertedItem] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    _changed: dict[str, WorkItem] = field(default_factory=dict)
    _beside: dict[str, tuple[list[str], list[str]]] = field(default_factory=dict)
    """Item to what is put before and after it in the order of the portfolio, which is also that of first come."""

    def item(self, id: str) -> WorkItem:
        """A written item as it is to be planned so far."""
        return self._changed.get(id) or self.portfolio.work[id]

    def change(self, id: str, **fields: Any) -> None:
        """Plan a written item with other values of these fields."""
        self._changed[id] = self.item(id).model_copy(update=fields)

    def insert(
        self,
        title: str,
        item: WorkItem,
        of: str,
        *,
        kind: str = "rule",
        side: Literal["before", "after"] | None = None,
        names: tuple[str, ...] = (),
    ) -> str:
        """Add an item for ``of``, beside which it is put where that is an item; returns its id.

        Where an item with this id is written, that tells the progress of the inserted one.
        """
        id = self._id(of, title)
        if id in self.portfolio.projects or id in self.portfolio.external:
            self.error("id-twice", f"{id} is the id of work inserted for {of}; rename the other with this id", of, id)
        written = self.portfolio.work.get(id)
        if written is not None:
            item = self._with_progress(id, item, written)
        self.inserted[id] = InsertedItem(item=item, of=of, kind=kind, side=side, names=names)
        before, after = self._beside.setdefault(of, ([], []))
        (before if side == "before" else after).append(id)
        return id

    def error(self, code: str, message: str, *ids: str) -> None:
        self.findings.append(Finding(level="error", code=code, message=message, ids=ids))

    def _id(self, of: str, title: str) -> str:
        """``CHG-88~full-regression``; numbered where there is one."""
        stem = f"{of}~{slug(title)}"
        count, id = 1, stem
        while id in self.inserted:
            count += 1
            id = f"{stem}-{count}"
        return id

    def _with_progress(self, id: str, item: WorkItem, written: WorkItem) -> WorkItem:
        """The item with what is written of its progress; nothing else of it may be written."""
        others = [
            name
            for name in WorkItem.model_fields
            if name not in PROGRESS and getattr(written, name) != getattr(PLAIN, name)
        ]
        others += [f"needs.{name}" for name in _asked(written)]
        about = f"work.{id} is inserted because {item.title!r} is required, and may tell its progress alone"
        if others:
            self.error(
                "inserted-id", f"{about} (status, started, remaining); remove {', '.join(others)}, or rename it", id
            )
        elif written.status not in FACTS:
            self.error("inserted-status", f"{about}: open, in-progress or done, not {written.status.value}", id)
        elif written.needs and not _fit(item.needs, written.needs):
            self.error("inserted-needs", f"{about}; its needs are not those of the rule, in number, skill or who", id)
        else:
            said: dict[str, Any] = {name: getattr(written, name) for name in TAKEN}
            said["on_hold"] = said["on_hold"] or item.on_hold
            if written.needs:
                both = zip(item.needs, written.needs, strict=True)
                said["needs"] = tuple(need.model_copy(update=_left(told)) for need, told in both)
            return item.model_copy(update=said)
        return item

    def portfolio_with_all(self) -> Portfolio:
        """The portfolio itself where nothing is inserted or changed."""
        if not self.inserted and not self._changed:
            return self.portfolio
        work: dict[str, WorkItem] = {}
        for id in self.portfolio.work:
            if id not in self.inserted:
                before, after = self._beside.pop(id, ([], []))
                work |= {i: self.inserted[i].item for i in before}
                work[id] = self.item(id)
                work |= {i: self.inserted[i].item for i in after}
        for before, after in self._beside.values():  # of what is no item
            work |= {i: self.inserted[i].item for i in (*before, *after)}
        return self.portfolio.model_copy(update={"work": work})


@lru_cache(maxsize=1024)
def slug(title: str) -> str:
    """Letters and digits in small letters, all else as single hyphens; ``work`` where nothing is left."""
    words = "".join(c if c.isalnum() else " " for c in title.lower()).split()
    return "-".join(words) or "work"


def _asked(written: WorkItem) -> list[str]:
    """What needs of a written item ask for besides naming people and what is left."""
    return [
        name
        for name in ("level", "effort", "people", "allocation")
        if any(getattr(need, name) != getattr(PLAIN_NEED, name) for need in written.needs)
    ]


def _fit(needs: tuple[Need, ...], written: tuple[Need, ...]) -> bool:
    return len(needs) == len(written) and all(
        told.skill in (None, need.skill) and (not need.who or set(told.who) <= set(need.who))
        for need, told in zip(needs, written, strict=True)
    )


def _left(told: Need) -> dict[str, Any]:
    return {name: value for name in ("remaining", "who") if (value := getattr(told, name))}
