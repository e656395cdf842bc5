"""Does lm-eval's own client get the right numbers from our server? (extra `bench`: lm-eval)

    python benchmarks/lm_eval_client.py SCHOOL --items 10      # half a minute; 40 items: a minute

Claims: every log likelihood that lm-eval's client gets is the model's own to 1e-4 nats, prompts
sent as tokens or as text.

The champion of a school of texts is served on a free port. lm-eval's `local-completions` model
(the real class) then asks it, once with prompts in tokens and once as text: log likelihoods of
the exam's accepted answers and of wrong ones (a multiple-choice task of lm-eval's own, run by its
`simple_evaluate`), the log likelihood of whole contexts (perplexity), and generated answers. The
same log likelihoods are computed in this process from the model's own logits; the script fails
where one differs by more than 1e-4 nats, and prints how many there were. Perplexity needs tokens:
as text, the client spells out the mark before a context (such as "<|endoftext|>"), and to this
server what looks like a mark is only text, whoever sends it; so those are shown, not compared.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OPENAI_API_KEY", "none")

import uvicorn
from lm_eval.evaluator import simple_evaluate
from lm_eval.models.openai_completions import LocalCompletionsAPI
from lm_eval.tasks import TaskManager

from nightschool.app import School
from nightschool.types import Partition
from nightschool.web import create_app

TASK = """
task: nightschool_choice
dataset_path: json
dataset_kwargs:
  data_files: {{test: {file}}}
test_split: test
output_type: multiple_choice
doc_to_text: context
doc_to_choice: choices
doc_to_target: right
target_delimiter: ""
metric_list:
  - metric: acc
"""


def main() -> None:
    """Serve a school, ask it by lm-eval, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("school", type=Path)
    parser.add_argument("--items", type=int, default=40)
    wanted = parser.parse_args()
    with School.open(wanted.school) as school, serving(school) as url:
        learner = school.learner(school.champion())
        folder = school.warehouse.weights_path(school.champion())
        contexts = [
            c.text.rstrip() for c in school.warehouse.sample(Partition.TRAINING, wanted.items, 1)
        ]
        answers = [" two", " four", " red", " blue", " the"]
        for tokenized in (True, False):
            model = LocalCompletionsAPI(
                base_url=f"{url}/v1/completions",
                model="nightschool",
                tokenizer=str(folder),
                tokenized_requests=tokenized,
                max_length=learner.window,
            )
            compare(model, learner, contexts, answers, "tokens" if tokenized else "text")
            task(model, contexts, answers)


def compare(
    model: LocalCompletionsAPI, learner: Any, contexts: list[str], answers: list[str], sent: str
) -> None:
    """Log likelihoods by lm-eval's client beside the model's own."""
    began = time.monotonic()
    pairs = [(context, answer) for context in contexts for answer in answers]
    got = model.loglikelihood([instance(pair) for pair in pairs], disable_tqdm=True)
    worst = greedy = 0.0
    for (context, answer), (found, is_greedy) in zip(pairs, got, strict=True):
        mine = own(learner, context, answer)
        worst = max(worst, abs(found - mine))
        greedy += is_greedy
    rolling = model.loglikelihood_rolling([instance((c,)) for c in contexts], disable_tqdm=True)
    if sent == "tokens":
        for context, found in zip(contexts, rolling, strict=True):
            whole = [model.prefix_token_id, *learner.text.encode_all([context])[0]]
            worst = max(worst, abs(found - log_likelihood(learner, whole, 1)))
    until = {"until": ["\\n", "."], "max_gen_toks": 8}
    texts = model.generate_until(
        [instance((c, dict(until))) for c in contexts[:5]], disable_tqdm=True
    )
    seconds = time.monotonic() - began
    print(
        f"{sent}: {len(pairs)} log likelihoods, largest difference {worst:.2e} nats, "
        f"{int(greedy)} greedy; {len(rolling)} rolling, mean {sum(rolling) / len(rolling):.2f}; "
        f"generated {texts[0]!r}; {seconds:.1f} s"
    )
    if worst > 1e-4:
        raise SystemExit("lm-eval's client and the model disagree.")


def own(learner: Any, context: str, answer: str) -> float:
    """The log likelihood of an answer from the model's own logits."""
    shown, whole = learner.text.encode_all([context, context + answer])
    return log_likelihood(learner, whole, len(shown))


def log_likelihood(learner: Any, whole: list[int], known: int) -> float:
    """The log likelihood of the tokens behind the first `known`, in nats."""
    logs = learner.body.logits([whole], [range(known - 1, len(whole) - 1)])[0].log_softmax(-1)
    return float(sum(logs[i, t] for i, t in enumerate(whole[known:])))


def task(model: LocalCompletionsAPI, contexts: list[str], answers: list[str]) -> None:
    """A whole multiple-choice task, as a user of lm-eval would run it."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "items.jsonl")
        rows = [{"context": c, "choices": answers, "right": 0} for c in contexts]
        data.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        Path(folder, "nightschool_choice.yaml").write_text(TASK.format(file=data))
        found = simple_evaluate(
            model,
            tasks=["nightschool_choice"],
            task_manager=TaskManager(include_path=folder, include_defaults=False),
            bootstrap_iters=0,
        )
    print("simple_evaluate:", found["results"]["nightschool_choice"])


def instance(arguments: tuple[Any, ...]) -> Any:
    """A request as lm-eval's evaluator hands it to a model."""
    return SimpleNamespace(args=arguments, arguments=arguments)


@contextmanager
def serving(school: School) -> Iterator[str]:
    """The school's server on a free port, in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        server = uvicorn.Server(uvicorn.Config(create_app(school), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


if __name__ == "__main__":
    main()
