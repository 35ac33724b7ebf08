"""How long importing the course takes beyond importing torch. Run: python benchmarks/import_time.py

Every figure is the median of five fresh interpreters, taken in turns so that a busy moment hits all of them;
exits with 1 when a module costs more than the goal.
"""

import statistics
import subprocess
import sys

MODULES = ["advcourse", "advcourse.notebook", "advcourse.notebook, advcourse.attacks, advcourse.exercises",
           "advcourse.zoo"]
REPEATS = 5
GOAL = 0.3  # seconds

# Timed inside the interpreter: its own start does not count. `torch` is there already when the clock starts.
PROGRAM = """
import sys, time
start = time.perf_counter(); import torch; torch_seconds = time.perf_counter() - start
start = time.perf_counter(); exec(f"import {sys.argv[1]}"); print(torch_seconds, time.perf_counter() - start)
"""


def measure(module):
    """Seconds for `import torch` in a fresh interpreter, and for importing `module`, or several, after it."""
    output = subprocess.run([sys.executable, "-c", PROGRAM, module], check=True, capture_output=True, text=True).stdout
    return tuple(float(seconds) for seconds in output.split())


def main():
    measure("advcourse")  # the first import of all reads the disk and compiles
    rounds = [{module: measure(module) for module in MODULES} for _ in range(REPEATS)]
    torch_seconds = statistics.median(seconds for times in rounds for seconds, _ in times.values())
    print(f"{'import':65} {'seconds':>8}")
    print(f"{'torch':65} {torch_seconds:8.3f}")
    slow = False
    for module in MODULES:
        seconds = statistics.median(times[module][1] for times in rounds)
        slow |= seconds > GOAL
        print(f"{'+ ' + module:65} {seconds:8.3f}   goal {GOAL}: {'met' if seconds <= GOAL else 'MISSED'}")
    sys.exit(1 if slow else 0)


if __name__ == "__main__":
    main()
