"""Sweeps: the command line's files, whatever does the shards, and however often it is stopped."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest

from common import TINY, below, command_line, folder, free_port, interruptible, ray_environment, ray_machine, there, wait_until_gone

import keyside
from keyside import _keyside, _ray

OPTIONS = ["--models", TINY]
FILES = ["rows.jsonl", "maps.html"]

# A sweep of its own process, for what kills it.
SWEEP = """
import sys
import keyside

keyside.sweep(sys.argv[1], out=sys.argv[2], seeds=sys.argv[3], runner=sys.argv[4], prompts=keyside.ioi(batches=5))
"""


def written(place):
    return [(place / name).read_bytes() for name in FILES]


def shards(place):
    return {path.name: path.read_bytes() for path in (place / "shards").glob("*.jsonl")}


def wait_for_shards(place, count, running=None):
    """Waits until so many shards of a sweep are done."""
    while len(list((place / "shards").glob("*.jsonl"))) < count:
        assert running is None or running.poll() is None, "the sweep has ended"
        time.sleep(0.005)


class Sweeps(unittest.TestCase):
    def local(self, out, **given):
        return keyside.sweep(TINY, out=out, runner="local", **given)

    def test_the_files_are_the_command_lines(self):
        with folder() as place:
            lines, table = place / "own.txt", place / "own.csv"
            lines.write_text("When [[Mary]] and John went, John gave it [[to]]\nThen [[Jim]] ran\n")
            table.write_text("text,dest,src,a,b\nMary went home,2,0,,\n")
            cases = [
                ({}, []),
                ({"heads": (2, 1), "seeds": 3, "per_prompt": True}, ["--heads", "2.1", "--seeds", 3, "--per-prompt"]),
                (
                    {"heads": ["1.*", (2, 3)], "seeds": range(2), "prompts": keyside.ioi(2, 5, bos=True)},
                    ["--heads", "1.*,2.3", "--seeds", "0..2", "--batches", 2, "--batch-size", 5, "--bos"],
                ),
                (
                    {"heads": "*.0,0.3", "seeds": "4..=5", "prompts": ["ioi", lines, str(place / "*.csv")], "engine": "packed on 2"},
                    ["--heads", "*.0,0.3", "--seeds", "4..=5", "--prompts", f"ioi,{lines},{table}", "--engine", "packed on 2"],
                ),
            ]
            for number, (given, options) in enumerate(cases):
                with self.subTest(options):
                    expected, found = place / f"{number}-command", place / f"{number}-python"
                    command_line("sweep", *OPTIONS, *options, "--out", expected)
                    done = self.local(found, **given)
                    self.assertEqual(written(found), written(expected))
                    rows = (expected / "rows.jsonl").read_text().splitlines()
                    self.assertEqual(done.to_dicts(), [json.loads(row) for row in rows])
                    self.assertEqual((len(done), done.shards), (len(rows), len(shards(expected))))
                    self.assertEqual((done.path, done.rows, done.maps), (found, found / "rows.jsonl", found / "maps.html"))
                    # No row depends on a time; those are beside.
                    self.assertNotIn(b"seconds", done.rows.read_bytes())
                    self.assertEqual(len(done.times.read_text().splitlines()), done.shards)

    def test_python_and_the_command_line_go_on_where_the_other_has_stopped(self):
        with folder() as place:
            whole, mixed = place / "whole", place / "mixed"
            asked = ["--seeds", "0..4", "--batch-size", 3]
            command_line("sweep", *OPTIONS, *asked, "--out", whole)

            class Stop(Exception):
                pass

            def stop_after(count):
                def told(share, doing):
                    if doing == f"{count} of 4 shards":
                        raise Stop(doing)

                return told

            given = {"seeds": range(4), "prompts": keyside.ioi(1, 3)}
            self.assertRaises(Stop, self.local, mixed, **given, progress=stop_after(2))
            self.assertEqual(sorted(shards(mixed)), ["000000.jsonl", "000001.jsonl"])
            before = shards(mixed)
            # Half of a shard, as a process leaves it that was ended there.
            (mixed / "shards" / "000002.jsonl.part").write_text('{"model":')
            self.assertRaises(Stop, self.local, mixed, **given, progress=stop_after(3))
            said = command_line("sweep", *OPTIONS, *asked, "--out", mixed)
            self.assertIn("48 rows of 4 shards, 3 of them there before", said)
            self.assertEqual(written(mixed), written(whole))
            self.assertEqual({name: shards(mixed)[name] for name in before}, before)
            # All of it is there: nothing is opened or computed.
            again = self.local(mixed, **given)
            self.assertEqual((again.shards, again.there_before), (4, 4))
            self.assertEqual(repr(again), f"<keyside.Sweep {mixed}: 48 rows of 4 shards>")

    def test_progress_is_told(self):
        with folder() as place:
            told = []
            self.local(place / "out", seeds=range(3), progress=lambda share, doing: told.append((share, doing)))
            shares = [share for share, _ in told]
            self.assertEqual(shares, sorted(shares))
            self.assertEqual((told[0], told[-1]), ((0, "0 of 3 shards"), (1, "3 of 3 shards")))

    def test_a_killed_process_loses_nothing_that_was_finished(self):
        self.killed("local", signal.SIGKILL)

    def test_ctrl_c_ends_a_sweep_and_the_next_call_goes_on(self):
        self.killed("local", signal.SIGINT)

    def killed(self, runner, signal_number):
        """A sweep in a process of its own, which is sent a signal in the middle, and goes on in this one."""
        with folder() as place:
            asked = ["--seeds", "0..30", "--batches", 5]
            command_line("sweep", *OPTIONS, *asked, "--out", place / "whole")
            command = [sys.executable, "-I", "-c", SWEEP, str(TINY), str(place / "out"), "0..30", runner]
            with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=interruptible) as running:
                wait_for_shards(place / "out", 5, running)
                started = below(running.pid)
                running.send_signal(signal_number)
                _, said = running.communicate(timeout=60)
            self.assertEqual(running.returncode, -signal_number, said)
            if signal_number == signal.SIGINT:
                self.assertIn("KeyboardInterrupt", said)
            before = shards(place / "out")
            self.assertFalse((place / "out" / "rows.jsonl").exists(), f"{len(before)} of 30 shards")
            # What it had started ends with it.
            wait_until_gone(started)
            done = keyside.sweep(TINY, out=place / "out", seeds=range(30), prompts=keyside.ioi(batches=5), runner=runner)
            self.assertEqual((done.shards, done.there_before), (30, len(before)))
            self.assertEqual(written(place / "out"), written(place / "whole"))
            after = shards(place / "out")
            self.assertEqual({name: after[name] for name in before}, before)
            print(f"{runner}: {signal.Signals(signal_number).name} with {len(before)} of 30 shards done", end=" ... ", flush=True)

    def test_data_frames(self):
        library = next(iter(filter(there, ("pandas", "polars"))), None)
        with folder() as place:
            done = self.local(place / "out", heads="2.*", prompts=keyside.ioi(1, 4))
            if library is None:
                self.assertRaisesRegex(ImportError, "pip install pandas", done.to_dataframe)
                self.skipTest("pandas and polars are not installed")
            found = done.to_dataframe()
            self.assertEqual(list(found["head"]), ["2.0", "2.1", "2.2", "2.3"])
            self.assertEqual(list(found["score"]), [row["score"] for row in done.to_dicts()])


class Errors(unittest.TestCase):
    def raises(self, kind, parts, call):
        with self.assertRaises(kind) as caught:
            call()
        for part in parts:
            self.assertIn(part, str(caught.exception))

    def test_what_is_wrong_is_said_before_anything_is_written(self):
        with folder() as place:
            out = place / "out"
            sweep = lambda model=TINY, **given: lambda: keyside.sweep(model, out=out, **{"runner": "local", **given})
            cases = [
                (keyside.SourceError, ["there is no folder"], sweep("./no/such")),
                (keyside.RequestError, ["nothing can be found by no/such/*"], sweep("no/such/*")),
                (keyside.RequestError, ["gpt9"], sweep("hub:gpt9")),
                (keyside.RequestError, ["has no revisions"], sweep(revisions="main")),
                (keyside.RequestError, ["head 9.1", str(TINY)], sweep(heads="9.1")),
                (keyside.RequestError, ['"ten" names no heads', "10.*"], sweep(heads="ten")),
                (keyside.RequestError, ["heads is the number 2.1"], sweep(heads=[2.1])),
                (keyside.RequestError, ["a sweep of 2.1"], sweep(heads=2.1)),
                (keyside.PromptError, ["no.txt can't be read", "ioi"], sweep(prompts="no.txt")),
                (keyside.RequestError, ["keyside.ioi 2 times"], sweep(prompts=[keyside.ioi(1), keyside.ioi(2)])),
                (keyside.RequestError, ["batches is 'many'"], sweep(prompts=keyside.ioi("many"))),
                (keyside.RequestError, ['"-1" is no list of seeds'], sweep(seeds=-1)),
                (keyside.RequestError, ["no list of seeds"], sweep(seeds=[])),
                (keyside.RequestError, ["a sweep of 1.5"], sweep(seeds=1.5)),
                (keyside.RequestError, ["abacus"], sweep(engine="abacus")),
                (keyside.RequestError, ["no runner 'spark'", '"ray" or "local"'], sweep(runner="spark")),
                (keyside.RequestError, ["no use for the address"], sweep(address="127.0.0.1:1")),
            ]
            for kind, parts, call in cases:
                self.raises(kind, parts, call)
                self.assertFalse(out.exists(), parts)

    def test_a_folder_of_another_sweep_is_not_touched(self):
        with folder() as place:
            sweep = lambda **given: keyside.sweep(TINY, out=place / "out", runner="local", **given)
            sweep(prompts=keyside.ioi(1, 3))
            before = written(place / "out")
            self.raises(keyside.RequestError, ["holds another sweep (seeds differ)", "Name another folder"], lambda: sweep(prompts=keyside.ioi(1, 3), seeds=1))
            self.assertEqual(written(place / "out"), before)
            # Nobody holds it, not the exception either.
            sweep(prompts=keyside.ioi(1, 3))
            (place / "thesis").mkdir()
            (place / "thesis" / "thesis.tex").write_text("all of it")
            self.raises(keyside.RequestError, ["holds thesis.tex, and no sweep"], lambda: keyside.sweep(TINY, out=place / "thesis", runner="local"))

    def test_a_model_that_has_changed_is_not_swept_on(self):
        with folder() as place:
            shutil.copytree(TINY, place / "model")
            plan = _keyside.Sweep.plan([str(place / "model")], [], ["*"], ["ioi"], "0", 1, 2, False, False, "auto")
            weights = place / "model" / "model.safetensors"
            weights.write_bytes(weights.read_bytes()[:-1] + b"\x00")
            self.raises(keyside.ModelError, ["is not the one that the sweep began with"], lambda: plan.rows(0, None))
            # In a worker it says where, and which version is missing.
            failed = _ray._rows(keyside.__version__, plan.task(), 0, 1)
            self.assertEqual((failed.kind, os.uname().nodename in failed.cause), ("changed", True))
            failed = _ray._rows("0.0.0", plan.task(), 0, 1)
            self.assertIn("pip install keyside==0.0.0", failed.advice)
            shutil.rmtree(place / "model")
            plan = _keyside.Sweep.of_task(plan.task())
            self.raises(keyside.SourceError, ["there is no folder"], lambda: plan.rows(0, None))

    @unittest.skipIf(there("ray"), "Ray is installed")
    def test_without_ray_it_is_said_what_to_install(self):
        with folder() as place:
            for given in ({"runner": "ray"}, {"address": "10.0.0.1:6379"}):
                with self.assertRaisesRegex(ImportError, "pip install ray"):
                    keyside.sweep(TINY, out=place / "out", **given)
            self.assertFalse((place / "out").exists())
            # Unless it is asked for, this process does the shards.
            self.assertEqual(len(keyside.sweep(TINY, out=place / "out", prompts=keyside.ioi(1, 2))), 12)

    @unittest.skipIf(there("pyarrow"), "pyarrow is installed")
    def test_without_pyarrow_it_is_said_what_to_install(self):
        with folder() as place:
            with self.assertRaisesRegex(ImportError, "pip install pyarrow"):
                keyside.sweep(TINY, out=place / "out", parquet=True)
            self.assertFalse((place / "out").exists())


@unittest.skipUnless(there("pyarrow"), "pyarrow is not installed")
class Parquet(unittest.TestCase):
    def test_the_columns_are_the_rows(self):
        import pyarrow.parquet

        with folder() as place:
            prompts = place / "own.txt"
            prompts.write_text("Then [[Jim]] ran\n")
            given = {"seeds": [0, 2**32 - 10_000], "prompts": ["ioi", prompts], "runner": "local"}
            for per_prompt in (False, True):
                out = place / str(per_prompt)
                done = keyside.sweep(TINY, out=out, per_prompt=per_prompt, **given)
                self.assertEqual(done.parquet, out / "rows.parquet")
                table = pyarrow.parquet.read_table(done.parquet)
                rows = done.to_dicts()
                self.assertEqual(table.column_names, list(rows[0]))
                # Bit for bit, in the same order.
                self.assertEqual(table.to_pylist(), rows)
                before = done.parquet.read_bytes()
                done.parquet.unlink()
                keyside.sweep(TINY, out=out, per_prompt=per_prompt, **given)
                self.assertEqual(done.parquet.read_bytes(), before)
            without = keyside.sweep(TINY, out=place / "without", parquet=False, runner="local")
            self.assertEqual((without.parquet, (place / "without" / "rows.parquet").exists()), (None, False))

    def test_what_is_no_row_is_refused(self):
        from keyside import _parquet

        with folder() as place:
            (place / "rows.jsonl").write_text('{"model":"m","seconds":1.5}\n')
            self.assertRaises(Exception, _parquet.write, place / "rows.jsonl", place / "rows.parquet")
            self.assertFalse((place / "rows.parquet").exists())


@unittest.skipUnless(there("ray"), "Ray is not installed")
class OnRay(unittest.TestCase):
    killed = Sweeps.killed

    def setUp(self):
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

    def test_a_worker_is_killed_in_the_middle(self):
        import ray

        asked = ["--seeds", "0..40", "--batches", 5]
        with folder() as place:
            command_line("sweep", *OPTIONS, *asked, "--out", place / "whole")
            ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
            killed = []

            def kill():
                wait_for_shards(place / "out", 8)
                # One that is at work on a shard just now.
                while not killed:
                    workers = [number for number, name in below(os.getpid()).items() if name == "ray::keyside.sweep"]
                    for worker in workers[:1]:
                        os.kill(worker, signal.SIGKILL)
                        killed.append((worker, len(shards(place / "out"))))

            killer = threading.Thread(target=kill)
            killer.start()
            try:
                done = keyside.sweep(TINY, out=place / "out", seeds=range(40), prompts=keyside.ioi(batches=5), runner="ray")
                workers = [number for number, name in below(os.getpid()).items() if name.startswith("ray::")]
                self.assertTrue(ray.is_initialized(), "a connection of one's own is left alone")
            finally:
                ray.shutdown()
                killer.join()
            ((worker, shards_then),) = killed
            self.assertNotIn(worker, workers)
            self.assertLess(shards_then, 40)
            self.assertEqual((len(done), done.shards, done.there_before), (480, 40, 0))
            self.assertEqual(written(place / "out"), written(place / "whole"))
            # Each shard was kept once.
            self.assertEqual(len(done.times.read_text().splitlines()), 40)
            print(f"worker {worker} killed with {shards_then} of 40 shards done", end=" ... ", flush=True)

    def test_a_killed_driver_loses_nothing_that_was_finished(self):
        self.killed("ray", signal.SIGKILL)

    def test_ctrl_c_ends_a_sweep_on_ray(self):
        self.killed("ray", signal.SIGINT)

    def test_errors_of_workers_are_the_librarys(self):
        import ray

        with folder() as place:
            shutil.copytree(TINY, place / "model")
            plan = _keyside.Sweep.plan([str(place / "model")], [], ["*"], ["ioi"], "0..3", 1, 2, False, False, "auto")
            (place / "model" / "model.safetensors").unlink()
            with self.assertRaises(keyside.SourceError) as caught:
                _ray.run(plan, [0, 1, 2], lambda *_: self.fail("nothing is done"), None, 1)
            self.assertIn("model.safetensors", str(caught.exception))
            self.assertFalse(ray.is_initialized())

    def test_a_cluster_that_does_not_answer(self):
        with folder() as place:
            for address in ("127.0.0.1:1", "ray://127.0.0.1:1"):
                began = time.monotonic()
                with self.assertRaises(keyside.SourceError) as caught:
                    keyside.sweep(TINY, out=place / "out", address=address, prompts=keyside.ioi(1, 2))
                self.assertIn(f"Ray at {address} does not answer", str(caught.exception))
                self.assertIn("ray start --head", str(caught.exception))
                self.assertLess(time.monotonic() - began, 30)
            with self.assertRaisesRegex(keyside.RequestError, "cpus is 0"):
                keyside.sweep(TINY, out=place / "out", prompts=keyside.ioi(1, 2), cpus=0)
            # What was asked for can still be done.
            self.assertEqual(len(keyside.sweep(TINY, out=place / "out", prompts=keyside.ioi(1, 2), runner="local")), 12)

    def test_a_cluster_that_asks_for_a_token(self):
        with folder() as place:
            port = free_port()
            token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "a" * 64}
            lines = "import sys, keyside\nkeyside.sweep(sys.argv[1], out=sys.argv[2], address=sys.argv[3], prompts=keyside.ioi(1, 2))"
            command = [sys.executable, "-I", "-c", lines, str(TINY), str(place / "out"), f"127.0.0.1:{port}"]
            with ray_machine(place, "head", ["ray", "start", "--head", f"--port={port}"], ray_environment(place, **token)):
                done = subprocess.run(command, capture_output=True, text=True, check=False, env=ray_environment(place))
                self.assertIn("asks for a token", done.stderr)
                self.assertIn("RAY_AUTH_MODE=token", done.stderr)
                done = subprocess.run(command, capture_output=True, text=True, check=False, env=ray_environment(place, **token))
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertTrue((place / "out" / "rows.jsonl").is_file())


if __name__ == "__main__":
    unittest.main()
