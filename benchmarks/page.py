"""Is the page fast while a night trains, and do completions go on while one promotes?

    python benchmarks/page.py --out out/page      # 2 to 4 minutes; needs Chromium and `openai`

Claims: from Enter to the next question, focused and painted, under 50 ms (median) and 100 ms (p99)
in the browser while a night trains on the same machine, and no completion fails meanwhile.

A starter school is served by `nightschool serve`; a person answers as fast as the page can, for
some seconds without a night and then while `nightschool night` trains with lower priority. At the
same time the `openai` client completes and streams. A second person answers in Chromium, by
keyboard: from Enter to the next question, focused and painted. Printed: latency of the next
question and of an answer (kept on disk), in milliseconds, both ways in one run, and the failed
requests.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nightschool.app import School
from nightschool.app.config import write_config
from nightschool.app.nights import nice_prefix, night_command, night_environment
from nightschool.app.plans import WordsPlan
from nightschool.starter.teacher import ArithmeticTeacher


def main() -> None:
    """Build, serve, measure without and with a night, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("out/page"))
    parser.add_argument("--seconds", type=float, default=15.0)
    options = parser.parse_args()
    folder = options.out / "school"
    shutil.rmtree(folder, ignore_errors=True)
    WordsPlan("hybrid", 77, answers=200).build(folder)
    write_config(folder, {"learner_settings.steps": 60})
    page = Page(folder)
    try:
        page.start()
        page.answer_for(3.0)  # warm
        alone = page.answer_for(options.seconds)
        typed_alone = typed(page.port, options.seconds)
        completions = Completions(page.port)
        completions.start()
        night = start_night(folder)
        typist = ThreadPoolExecutor(1).submit(typed, page.port, 600.0, night)
        during = page.answer_for(options.seconds, until=night)
        typed_during = typist.result()
        night.wait()
        time.sleep(3.0)
        completed = completions.stop()
        with School.open(folder) as school:
            champion = school.champion().id
    finally:
        page.stop()
    print("| latency in ms | n | median | p99 | worst |\n|---|---|---|---|---|")
    for name, (nexts, answers) in {"no night": alone, "while a night trains": during}.items():
        print(row(f"next question, {name}", nexts))
        print(row(f"answer kept, {name}", answers))
    print(row("in the browser, no night", typed_alone))
    print(row("in the browser, while a night trains", typed_during))
    print(
        f"openai client meanwhile: {completed['done']} completions and streams, "
        f"{completed['failed']} failed; models that answered: {completed['models']}; "
        f"champion after the night: {champion}"
    )


def row(name: str, seconds: list[float]) -> str:
    """A row of the table."""
    ordered = sorted(1000 * s for s in seconds)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    cells = f"{statistics.median(ordered):.1f} | {p99:.1f} | {ordered[-1]:.1f}"
    return f"| {name} | {len(ordered)} | {cells} |"


def start_night(folder: Path) -> subprocess.Popen[bytes]:
    """A night as `serve` starts it."""
    with School.open(folder) as school:
        environment = {**os.environ, **night_environment(school.config)}
    return subprocess.Popen(
        [*nice_prefix(), *night_command(folder)], env=environment, stdout=subprocess.DEVNULL
    )


STOPWATCH = """() => {
  window.took = [];
  const box = document.getElementById("box");
  let began = 0;
  addEventListener("keydown", (e) => { if (e.key === "Enter") began = performance.now(); }, true);
  const stop = () => {
    if (began && document.activeElement === box) window.took.push(performance.now() - began);
    began = 0;
  };
  new MutationObserver(() => requestAnimationFrame(stop)).observe(
    document.getElementById("context"), { childList: true });
}"""


def typed(port: int, seconds: float, until: subprocess.Popen[bytes] | None = None) -> list[float]:
    """Seconds from Enter to the next question in Chromium, some three answers a second."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}")
        page.wait_for_selector("#form:not([hidden])")
        page.evaluate(STOPWATCH)
        end = time.monotonic() + seconds
        while time.monotonic() < end and (until is None or until.poll() is None):
            page.keyboard.type("seven\n")
            page.wait_for_timeout(300)
        took = page.evaluate("took")
        browser.close()
    return [ms / 1000 for ms in took]


class Page:
    """A served school, and somebody who answers it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
            self.port = door.getsockname()[1]
        self.teacher = ArithmeticTeacher()

    def start(self) -> None:
        """Start the server and wait for it."""
        command = [sys.executable, "-m", "nightschool", "--school", str(self.folder), "serve"]
        command.append("--no-accounts")
        self.process = subprocess.Popen([*command, "--port", str(self.port)])
        for _ in range(600):
            try:
                self.get("/api/status")
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit("the server does not answer")

    def stop(self) -> None:
        """End the server."""
        self.process.terminate()
        self.process.wait()

    def get(self, path: str) -> dict:
        """GET as JSON."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as reply:
            return json.loads(reply.read())

    def post(self, path: str, body: dict) -> dict:
        """POST JSON."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.loads(reply.read())

    def answer_for(
        self, seconds: float, until: subprocess.Popen[bytes] | None = None
    ) -> tuple[list[float], list[float]]:
        """Answer as a quick person, some five a second; seconds of each next and each answer."""
        nexts, answers = [], []
        end = time.monotonic() + seconds
        while (until.poll() is None) if until is not None else time.monotonic() < end:
            began = time.perf_counter()
            question = self.get("/api/next?person=bench")["question"]
            nexts.append(time.perf_counter() - began)
            if question is None:
                break
            said = self.teacher.solve(question["text"])
            body = {"id": str(uuid.uuid4()), "question_id": question["id"], "person": "bench"}
            body |= {"seconds": 1.0, "reply": "answer" if said else "cant_tell"}
            body |= {"text": said} if said else {}
            began = time.perf_counter()
            self.post("/api/answers", body)
            answers.append(time.perf_counter() - began)
            time.sleep(0.15)
        return nexts, answers


class Completions(threading.Thread):
    """The `openai` client, completing and streaming until it is stopped."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        from openai import OpenAI

        self.client = OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="-", max_retries=0)
        self.halt = threading.Event()
        self.report = {"done": 0, "failed": 0, "models": {}}

    def run(self) -> None:
        """One after another, a completion and a stream in turn."""
        prompt = "Jane has eight apples. Charlie ate half of her apples. Now Jane has"
        while not self.halt.is_set():
            stream = self.report["done"] % 2 == 1
            try:
                reply = self.client.completions.create(
                    model="nightschool", prompt=prompt, max_tokens=8, stream=stream
                )
                last = list(reply)[-1] if stream else reply
                models = self.report["models"]
                models[last.model] = models.get(last.model, 0) + 1
                self.report["done"] += 1
            except Exception as error:
                print(f"failed: {error!r}")
                self.report["failed"] += 1
            time.sleep(0.5)

    def stop(self) -> dict:
        """Stop, and what happened."""
        self.halt.set()
        self.join(30)
        return self.report


if __name__ == "__main__":
    main()
