"""Runs the tests of the installed package, and closes with "N passed, N failed, N skipped".

    python -I python/tests/run.py [NAME ...]      default: all files test_*.py beside this one

KEYSIDE is the command line that numbers are held against.
"""

import sys
import time
import unittest
from pathlib import Path

HERE = Path(__file__).parent


class Result(unittest.TextTestResult):
    """Counts what has passed: what testsRun counts is not the same in all versions of Python."""

    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


def main() -> int:
    sys.path.insert(0, str(HERE))
    names = [f"test_{name}" for name in sys.argv[1:]] or sorted(path.stem for path in HERE.glob("test_*.py"))
    began = time.perf_counter()
    tests = unittest.defaultTestLoader.loadTestsFromNames(names)
    result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout, resultclass=Result).run(tests)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    for test, why in result.skipped:
        print(f"skipped: {test}: {why}")
    print(f"{time.perf_counter() - began:.1f} s")
    print(f"{result.passed} passed, {failed} failed, {len(result.skipped)} skipped")
    return 1 if failed or not result.passed else 0


if __name__ == "__main__":
    sys.exit(main())
