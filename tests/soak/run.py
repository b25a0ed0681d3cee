"""Let everything go wrong, often: `python tests/soak/run.py --zip dist/riff.zip` prints one table of how it went.

Attempts are made in processes of their own, as many side by side as there are cores, each with a limit of time.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench.measuring.machine import circumstances  # noqa: E402
from tests.soak.attempts import all_faults  # noqa: E402
from tests.support.faults.fault import Fault, patience  # noqa: E402
from tests.support.faults.processes import kill_session  # noqa: E402

TABLE = ROOT / "bench/results/soak.md"


@dataclass
class Tally:
    """Outcomes of the attempts of one fault; `words` holds the message of the first mishap of each kind, `shown` what
    the first that was survived shows.
    """

    fault: Fault
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("survived", "lost", "failed", "not here"), 0))
    words: dict[str, str] = field(default_factory=dict)
    shown: str = ""
    seconds: float = 0.0

    def note(self, seed: int, went: str, words: str) -> None:
        self.counts[went] += 1
        if went != "survived":
            self.words.setdefault(went, f"seed {seed}: {words.strip()}")
        self.shown = self.shown or (words.strip() if went == "survived" else "")

    @property
    def tried(self) -> int:
        return sum(self.counts.values()) - self.counts["not here"]

    @property
    def survived(self) -> int:
        return self.counts["survived"] + self.counts["lost"]

    @property
    def good(self) -> bool:
        return self.survived == self.tried and not self.counts["lost"]


def lines_of(pipe: IO[bytes], limit: float) -> Iterator[dict[str, object]]:
    """Lines of JSON as they come. Raises TimeoutError after `limit` seconds without one."""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        rest = b""
        while True:
            if not selector.select(limit):
                raise TimeoutError
            data = os.read(pipe.fileno(), 1 << 16)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            yield from (json.loads(line) for line in lines)


def attempts(fault: Fault, first: int, last: int, tally: Tally) -> int:
    """Make attempts in one process until all are made or one hangs or crashes; returns the next seed to try."""
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "tests.soak.attempts", fault.name, str(first), str(last), str(writing)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        pass_fds=[writing],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    os.close(writing)
    with ThreadPoolExecutor(1) as reader, open(reading, "rb", buffering=0) as answers:
        assert process.stdout is not None
        output = reader.submit(process.stdout.read)
        seed, hung = first, False
        try:
            for line in lines_of(answers, fault.limit * patience()):
                if "went" in line:
                    tally.note(seed, str(line["went"]), str(line["words"]))
                    seed += 1
        except TimeoutError:
            hung = True
        finally:
            end(process)
    if seed < last:
        said = output.result().decode(errors="replace")[-2000:]
        limit, code = fault.limit * patience(), process.returncode
        reason = f"took over {limit:.0f} s" if hung else f"ended the process with {code}"
        tally.note(seed, "failed", f"{reason}\n{said}")
        seed += 1
    return seed


def end(process: subprocess.Popen[bytes]) -> None:
    """End the process, where it still runs, and all that it has started."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)  # where it hangs, the signal below ends it too
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    kill_session(process.pid)
    process.wait()


def try_out(fault: Fault, times: int) -> Tally:
    tally, seed = Tally(fault), 0
    started = time.monotonic()
    while seed < times:
        seed = attempts(fault, seed, times, tally)
    tally.seconds = time.monotonic() - started
    word = "survived" if tally.good else "NOT SURVIVED"
    print(f"{word}  {fault.name}: {tally.counts}, {tally.seconds:.0f} s", flush=True)
    for went, words in tally.words.items():
        print(f"    {went}, {words}".replace("\n", "\n    "), flush=True)
    return tally


def table(tallies: list[Tally]) -> str:
    rows = ["| fault | times tried | survived | lost |", "|---|---:|---:|---:|"]
    rows += [f"| {t.fault.name} | {t.tried:,} | {t.survived:,} | {t.counts['lost']:,} |" for t in tallies]
    missing = [
        f"\n{t.fault.name} could not be tried here: {t.words['not here']}" for t in tallies if t.counts["not here"]
    ]
    shown = [f"\n{t.fault.name}:\n\n{t.shown}" for t in tallies if t.shown]
    return "\n".join(rows + missing + shown)


def write_table(text: str, command: str, seconds: float) -> None:
    here = circumstances()
    about = (
        f"{here['date']}, Riff {here['versions']['riff']}, {here['device']}, {here['cores']} cores, {here['system']}; "
        f"`{command}` took {seconds / 60:.0f} minutes."
    )
    TABLE.write_text(f"# Soak: what goes wrong, and what is lost\n\n{about}\n\n{text}\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description="Let everything go wrong, often.")
    parser.add_argument("--zip", type=Path, required=True, help="the built extension")
    parser.add_argument("--only", nargs="+", default=[""], metavar="WORD", help="faults whose name holds one of these")
    parser.add_argument("--share", type=float, default=1.0, help="share of the attempts to make (1.0), at least one")
    parser.add_argument("--side-by-side", type=int, default=os.cpu_count() or 1, help="faults tried at once (cores)")
    parser.add_argument("--patience", type=float, default=1.0, help="multiply limits of time on a busy machine (1.0)")
    options = parser.parse_args()
    os.environ.update(RIFF_ZIP=str(options.zip.resolve()), PYTHONPATH=str(ROOT), OMP_WAIT_POLICY="PASSIVE")
    os.environ["RIFF_SOAK_PATIENCE"] = str(options.patience)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    chosen = [fault for fault in all_faults() if any(word in fault.name for word in options.only)]
    started = time.monotonic()
    with ThreadPoolExecutor(options.side_by_side) as pool:
        # The slowest first would be best; nobody knows which, but the many small ones fill the gaps.
        tallies = list(pool.map(lambda fault: try_out(fault, max(1, round(fault.times * options.share))), chosen))
    text = table(tallies)
    print(f"\n{text}")
    if options.only == [""]:
        command = "make soak" + (f" SHARE={options.share:g}" if options.share != 1.0 else "")
        write_table(text, command, time.monotonic() - started)
    return 0 if tallies and all(tally.good for tally in tallies) else 1


if __name__ == "__main__":
    sys.exit(main())
