"""A person leaves a school: their answers withdrawn as a whole, or the person erased from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nightschool.app import shortlist, yesterday
from nightschool.app.accounts import Accounts, same_name
from nightschool.types.people import AccountError
from nightschool.warehouse import Erasure, Warehouse


class Leaving:
    """What a school does with the answers of somebody who leaves it."""

    def __init__(
        self, warehouse: Warehouse, accounts: Accounts, clock: Callable[[], float]
    ) -> None:
        self._warehouse = warehouse
        self._accounts = accounts
        self._now = clock

    def withdraw(self, person: str, by: str, reason: str = "") -> int:
        """Retract every answer of a person that counts; how many those were.

        Their account, where they have one, is disabled first: nothing more comes from it. The
        answers stay in the log, the next manifest excludes them, and a rebuild gives the model
        that the others' answers alone would have given. Raises AccountError for the last owner,
        and for a name that nobody has, in whatever case it is written.
        """
        name = self._exact(person)
        if any(account.person == name for account in self._accounts.all()):
            self._accounts.set_disabled(name, True, by)
        return self._warehouse.leaving.withdraw(name, by, reason, self._now())

    def _exact(self, person: str) -> str:
        """The name as answers are kept under it; AccountError where none, or several, fit."""
        names = [each.id for each in self._warehouse.people()]
        if person in names:
            return person
        found = [name for name in names if same_name(name) == same_name(person)]
        if len(found) == 1:
            return found[0]
        told = f"{', '.join(found)} fit" if found else "nobody here is called that"
        raise AccountError(f"{person!r}: {told}; `nightschool people list` names everybody.")

    def erase(self, person: str, by: str) -> Erasure:
        """Remove a person and all that they said from every file of the school, for good.

        Versions that had learned from them are marked; a rebuild gives one that never did. Raises
        LockedError during a night or a backup, and AccountError for the last owner or a name that
        nobody has. Backups made before, and weights, are the owner's to delete.
        """
        return self._warehouse.leaving.erase(
            person,
            by,
            self._now(),
            drop=(yesterday.META,),  # what the model said of what they said, in words
            # It holds the newest replies, so that the day's answers can re-rank the queue.
            files=(shortlist.FILE,),
            gone=self._accounts.forget,
        )

    def erasures(self) -> Sequence[Erasure]:
        """Every erasure, oldest first."""
        return self._warehouse.leaving.erasures()

    def touched(self) -> dict[str, tuple[str, ...]]:
        """For each version that learned from somebody erased since, their pseudonyms."""
        found: dict[str, tuple[str, ...]] = {}
        for erasure in self.erasures():
            for version in erasure.versions:
                found[version] = (*found.get(version, ()), erasure.person)
        return found

    def unlearned(self) -> int:
        """How many answers the newest version learned that no longer count: a rebuild is due."""
        return self._warehouse.leaving.unlearned()
