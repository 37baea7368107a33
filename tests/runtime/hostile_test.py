"""The command in a hostile world: files from strangers, no room, outputs that go away, links, several at once, and killed.

AXISMASK is the path of the program. What it leaves is whole or not there, and what it says is one line.
"""

import itertools
import json
import os
import random
import resource
import signal
import subprocess
import tempfile
import time
import unittest

AXISMASK = os.path.abspath(os.environ["AXISMASK"])
LAYER = {"name": "local", "type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": -5.0, "sliding_window_size": 3}
CONFIG = {"model_type": "mistral", "num_hidden_layers": 40, "sliding_window": 4096}


def spec(*layers):
    return json.dumps({"axismask": 1, "model": "m", "layers": list(layers)})


class Hostile(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)
        with open("spec.json", "w") as file:
            file.write(spec(LAYER))
        with open("config.json", "w") as file:
            json.dump(CONFIG, file)

    def run_(self, *arguments, **options):
        return subprocess.run([AXISMASK, *arguments], capture_output=True, text=True, timeout=60, **options)

    def refused(self, *arguments, **options):
        done = self.run_(*arguments, **options)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr[:300])
        self.assertEqual(done.stderr.count("\n"), 1)
        self.assertTrue(done.stderr.startswith("axismask: error["))
        self.assertLess(len(done.stderr), 9000)
        return done.stderr.rstrip()

    def write(self, start, part, count):
        """A large file, of which this process keeps nothing: what it has in memory counts for the command, too."""
        with open("big.json", "w") as file:
            file.write(start)
            for _ in range(100):
                file.write(part * (count // 100))

    def bounded(self, seconds, mebibytes, *arguments):
        """Refused within so much time and memory."""
        with open("said", "w+") as said:
            running = subprocess.Popen([AXISMASK, *arguments], stdout=subprocess.DEVNULL, stderr=said)
            _, status, used = os.wait4(running.pid, 0)
            running.returncode = os.waitstatus_to_exitcode(status)
            said.seek(0)
            text = said.read()
        self.assertEqual((running.returncode, text.count("\n")), (2, 1), text[:300])
        if not os.environ.get("AXISMASK_SANITIZE"):  # which take several times as much
            self.assertLess(used.ru_utime + used.ru_stime, seconds)
            self.assertLess(used.ru_maxrss / 1024, mebibytes)
        return text.rstrip()

    # Each writes a file, and says which.
    WRITERS = (("mask", "spec.json", "--layer", "local", "--seq", "1500", "--kv-seq", "1500", "--out", "out"),
               ("import", "config.json", "--out", "out"),
               ("plan", "spec.json", "--layer", "local", "--seq", "3000", "--form", "flex", "--out", "out.npz"),
               ("show", "spec.json", "--layer", "local", "--seq", "64", "--out", "out.png"))

    def written(self, arguments):
        return arguments[-1]

    def test_texts_of_100_mb(self):
        for name, start, part in (("blanks", spec(LAYER), " "), ("numbers", "[", "1,"),
                                  ("a text", '{"axismask": 1, "model": "', "x"), ("brackets", "[", "[")):
            self.write(start, part, 100_000_000 // len(part))
            for command, kind in (("inspect", "a model spec"), ("explain", "a model's config.json")):
                with self.subTest(name, command=command):
                    line = self.bounded(3, 400, command, "big.json")
                    self.assertIn("big.json: it has more than 16 MiB, which " + kind + " has not; ", line)

    def test_as_much_as_a_text_may_have(self):
        most = (16 << 20) - 1000
        for name, part in (("numbers", "1,"), ("brackets", "["), ("arrays", "[],")):
            self.write("[", part, most // len(part))
            with self.subTest(name):
                self.bounded(12, 1200, "inspect", "big.json")
        with open("big.json", "w") as file:
            file.write("{")
            file.writelines(f'"{at}":1,' for at in range(1_000_000))
        self.bounded(12, 1200, "inspect", "big.json")

    def test_numbers_of_400_digits(self):
        for number, said in (("9" * 400, "is beyond what 64-bit floats hold"), ("-" + "9" * 400, "is beyond what 64-bit"),
                             ("1e1000000000", "is beyond what 64-bit"), ("0." + "3" * 400, "")):
            with open("spec.json", "w") as file:
                file.write(spec(LAYER).replace("-5.0", number))
            if said:
                self.assertIn(said, self.refused("inspect", "spec.json"))
            else:
                self.assertIn("0.3333333333333333", self.run_("inspect", "spec.json").stdout)

    def test_a_million_layers_and_groups_of_10_to_the_9(self):
        many = "axismask: error[spec-value] /layers: it makes more than 10000 layers; give at most so many"
        with open("spec.json", "w") as file:  # as many as 16 MiB hold
            file.write(spec(*({"name": f"a{at}", **{key: LAYER[key] for key in ("type", "masked_out_value",
                                                                              "sliding_window_size")}}
                              for at in range(100_000))))
        self.assertEqual(self.bounded(12, 1200, "inspect", "spec.json"), many)
        for count in (10**9, 10**15, 10001):
            with open("spec.json", "w") as file:
                file.write(spec({"name": "a{}", "count": count, "pattern": [{"type": "ApplyCausalAttentionMask",
                                                                           "masked_out_value": 0}]}))
            self.assertEqual(self.bounded(12, 1200, "inspect", "spec.json"), "axismask: error[spec-value] /layers/0/count: it "
                             f"makes {count} layers; give at most 10000")

    def test_a_text_of_the_users_is_shown_and_not_obeyed(self):
        with open("spec.json", "w") as file:
            file.write(spec(LAYER | {"type": "\x1b]0;title\x07\x9b2J\x7f"}))
        self.assertIn(r"\u001b]0;title\u0007\u009b2J\u007f", self.refused("inspect", "spec.json"))
        line = self.refused("inspect", "\x1b[2J.json")
        self.assertIn(r"\u001b[2J.json: it cannot be opened", line)
        self.assertNotIn("\x1b", line)

    def test_a_disk_that_is_full_leaves_what_was_there(self):
        def no_room():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

        for arguments in self.WRITERS:
            for there in (None, "before"):
                target = self.written(arguments)
                if there:
                    with open(target, "w") as file:
                        file.write(there)
                before = sorted(os.listdir())
                with self.subTest(arguments[0], there=there):
                    line = self.refused(*arguments, preexec_fn=no_room, restore_signals=False)
                    self.assertIn(target + ": it cannot be written (File too large); make room", line)
                    self.assertEqual(sorted(os.listdir()), before)
                    if there:
                        with open(target) as file:
                            self.assertEqual(file.read(), there)

    def test_places_that_are_no_files(self):
        os.mkdir("folder")
        os.mkfifo("pipe")
        for arguments, place in itertools.product(self.WRITERS, ("folder", "pipe", "/dev/full", "none/out", "/dev/null")):
            with self.subTest(arguments[0], place=place):
                line = self.refused(*arguments[:-1], place)
                self.assertIn(place, line)

    def test_a_link_is_replaced_and_what_it_points_to_stays(self):
        for arguments, target in itertools.product(self.WRITERS[:2], ("other", "missing", "out")):
            with open("other", "w") as file:
                file.write("stays")
            if os.path.lexists("out"):
                os.remove("out")
            os.symlink(target, "out")
            with self.subTest(arguments[0], target=target):
                done = self.run_(*arguments)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertFalse(os.path.islink("out"))
                self.assertFalse(os.path.exists("missing"))
                with open("other") as file:
                    self.assertEqual(file.read(), "stays")

    def test_an_output_that_is_the_input(self):
        with open("config.json") as file:
            before = file.read()
        done = self.run_("import", "config.json", "--out", "config.json")
        with open("config.json") as file:
            after = file.read()
        if done.returncode == 0:
            self.assertEqual(json.loads(after)["axismask"], 1)  # whole
        else:
            self.assertEqual(after, before)

    def test_a_standard_output_that_is_not_there(self):
        for arguments in (("inspect", "spec.json"), ("kernels",), ("explain", "config.json"),
                          ("show", "spec.json", "--layer", "local", "--seq", "8")):
            with self.subTest(arguments[0]):
                done = subprocess.run([AXISMASK, *arguments], stderr=subprocess.PIPE, text=True, timeout=60,
                                      preexec_fn=lambda: os.close(1))
                self.assertEqual((done.returncode, done.stderr), (2, "axismask: error[output] stdout: the output cannot be "
                                                                  "written; make room, or write to another place\n"))
                read, write = os.pipe()
                os.close(read)
                done = subprocess.run([AXISMASK, *arguments], stdout=write, stderr=subprocess.PIPE, text=True, timeout=60)
                os.close(write)
                self.assertIn(done.returncode, (2, -signal.SIGPIPE))

    def test_several_that_write_one_file_leave_one_of_theirs(self):
        outs = []
        for size in ("300", "301"):
            self.run_("mask", "spec.json", "--layer", "local", "--seq", size, "--kv-seq", size, "--out", "alone")
            with open("alone", "rb") as file:
                outs.append(file.read())
        os.remove("alone")
        for _ in range(8):
            running = [subprocess.Popen([AXISMASK, "mask", "spec.json", "--layer", "local", "--seq", size, "--kv-seq", size,
                                         "--out", "out"], stdout=subprocess.DEVNULL) for size in ("300", "301") * 2]
            self.assertEqual([one.wait() for one in running], [0] * 4)
            with open("out", "rb") as file:
                self.assertIn(file.read(), outs)
        self.assertEqual(sorted(os.listdir()), ["config.json", "out", "spec.json"])

    def test_killed_at_any_moment_no_half_file_is_left(self):
        chance = random.Random(5)
        for arguments in self.WRITERS:
            target = self.written(arguments)
            start = time.monotonic()
            self.assertEqual(self.run_(*arguments).returncode, 0)
            whole_time = time.monotonic() - start
            with open(target, "rb") as file:
                whole = file.read()
            kept = sorted(os.listdir())
            for turn in range(int(os.environ.get("AXISMASK_KILLS", "25"))):
                old = b"old" if turn % 2 else None
                os.remove(target)
                if old:
                    with open(target, "wb") as file:
                        file.write(old)
                running = subprocess.Popen([AXISMASK, *arguments], stdout=subprocess.DEVNULL)
                time.sleep(chance.uniform(0, 1.1) * whole_time)
                running.kill()
                running.wait()
                there = None
                if os.path.exists(target):
                    with open(target, "rb") as file:
                        there = file.read()
                # Where it takes the place of another file, it has a temporary name between two calls of the system.
                left = []
                for name in set(os.listdir()) - set(kept):
                    with open(name, "rb") as file:
                        left.append((name, file.read() == whole))
                    os.remove(name)
                with self.subTest(arguments[0], turn=turn):
                    self.assertTrue(there in (old, whole), "a half file")
                    self.assertIn(left, [[], [(f".axismask-{running.pid}-0.tmp", True)]] if old else [[]])
                if there is None:
                    open(target, "wb").close()
            os.remove(target)


if __name__ == "__main__":
    unittest.main()
