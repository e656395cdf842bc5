"""One night, top to bottom."""

from __future__ import annotations

from nightschool.types import Partition, School, Verdict


def run_night(school: School) -> Verdict:
    """Turn a day's answers into tomorrow's model and tomorrow's questions.

    Every step is idempotent, so a night that was killed is simply run again from the top.
    """
    with school.begin_night() as night:  # holds the lock; resumes a broken night, never repeats one
        verdict = night.verdict()
        if verdict is None:
            with night.step("curate"):  # agreement, normalisation
                examples = school.curate(night.answers(Partition.TRAINING), night.number)
            with night.step("seal"):  # immutable, hashed, beside the original dataset
                manifest = night.seal(examples)
            with night.step("fit"):  # a new version; nothing that exists is changed
                challenger = school.fit(night, manifest)
            with night.step("examine"):
                case = school.examine(night, challenger)
            verdict = school.gate.judge(night.number, case)
            with night.step("keep"):  # weights and evidence in one commit
                night.keep(challenger, case.results, verdict)
        with night.step("choose"):
            picks = school.choose(night)
        with night.step("post"):
            night.post(picks, night.trainee())
    return verdict
