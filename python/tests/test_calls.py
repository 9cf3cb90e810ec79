"""Calls: progress, Ctrl-C, threads, processes."""

import contextlib
import importlib.util
import io
import multiprocessing
import pickle
import signal
import subprocess
import sys
import threading
import unittest

from common import BUNDLED, TEXT, TINY, interruptible

import keyside

# Long enough that it is still going on when it is interrupted.
LONG = keyside.ioi(batches=300, batch_size=100)

INTERRUPTED = """
import sys, time
import keyside

model = keyside.load(sys.argv[1])
began = False


def told(share, doing):
    global began
    if not began and "computing" in doing:
        began = True
        print("computing", flush=True)


try:
    model.analyze(prompts=keyside.ioi(batches=300, batch_size=100), progress=told)
    print("finished")
except KeyboardInterrupt:
    interrupted = time.perf_counter()
    model.next("When Mary and John")
    print("interrupted", time.perf_counter() - interrupted, flush=True)
"""


def in_a_copy(model, answers):
    """What a model says that was opened before this process was forked."""
    try:
        model.next(TEXT)
    except keyside.RequestError as error:
        answers.put(str(error))
    own = pickle.loads(pickle.dumps(model))
    answers.put(own.next(TEXT)[0].token)


class Calls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = keyside.load(TINY)

    def test_progress_is_told(self):
        shares, doings = [], []
        self.model.analyze(
            "2.1",
            earlier_head="1.3",
            prompts=keyside.ioi(20, 40),
            progress=lambda share, doing: (shares.append(share), doings.append(doing)),
        )
        self.assertTrue(shares and all(0 <= share <= 1 for share in shares), shares)
        self.assertIn("of 20 batches done", doings[-1])

    @unittest.skipUnless(importlib.util.find_spec("tqdm"), "tqdm is not installed")
    def test_tqdm_tells_a_terminal(self):
        class Terminal(io.StringIO):
            def isatty(self):
                return True

        run = {"earlier_head": "1.3", "prompts": keyside.ioi(20, 40)}
        with contextlib.redirect_stderr(Terminal()) as terminal:
            self.model.analyze("2.1", **run)
        self.assertIn("of 20 batches done", terminal.getvalue())
        with contextlib.redirect_stderr(io.StringIO()) as file:
            self.model.analyze("2.1", **run)
        self.assertEqual(file.getvalue(), "")

    def test_an_exception_of_progress_ends_the_run(self):
        def told(share, doing):
            raise ZeroDivisionError(doing)

        model = keyside.load(BUNDLED)
        self.assertRaises(ZeroDivisionError, model.analyze, prompts=LONG, progress=told)
        self.assertEqual(len(model.next(TEXT)), 20)

    def test_ctrl_c_ends_a_run_within_a_block(self):
        command = [sys.executable, "-I", "-c", INTERRUPTED, str(BUNDLED)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=interruptible) as running:
            self.assertEqual(running.stdout.readline(), "computing\n")
            running.send_signal(signal.SIGINT)
            rest = running.stdout.read().split()
        self.assertEqual(rest[0], "interrupted", rest)
        # The next call would have waited for all of the run.
        self.assertLess(float(rest[1]), 5)
        self.assertEqual(running.returncode, 0)

    def test_other_threads_go_on(self):
        done, counted = threading.Event(), [0]

        def count():
            while not done.is_set():
                counted[0] += 1

        other = threading.Thread(target=count)
        began = threading.Event()
        at = []

        def told(share, doing):
            at.append(counted[0])
            began.set()

        other.start()
        try:
            keyside.load(BUNDLED).analyze(prompts=keyside.ioi(200, 40), progress=told)
        finally:
            done.set()
            other.join()
        # With the lock held nothing would have been counted between what was told.
        self.assertGreater(len(at), 2)
        self.assertGreater(at[-1] - at[0], 1000)

    def test_threads_may_share_a_model(self):
        expected = self.model.pair(TEXT, head="2.1", src=1).to_dict()["sections"]
        found = []

        def ask():
            found.append(self.model.pair(TEXT, head="2.1", src=1).to_dict()["sections"])

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(found, [expected] * 4)

    @unittest.skipUnless("fork" in multiprocessing.get_all_start_methods(), "processes are not forked here")
    def test_a_forked_process_says_so_and_opens_its_own(self):
        context = multiprocessing.get_context("fork")
        answers = context.Queue()
        process = context.Process(target=in_a_copy, args=(self.model, answers))
        process.start()
        error, token = answers.get(timeout=60), answers.get(timeout=60)
        process.join(60)
        self.assertIn("opened by another process", error)
        self.assertIn("keyside.load", error)
        self.assertEqual(token, self.model.next(TEXT)[0].token)


if __name__ == "__main__":
    unittest.main()
