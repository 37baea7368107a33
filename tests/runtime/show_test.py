"""Tests of `axismask show`: what it draws, in the terminal, as SVG and as PNG, is compared with masks made by NumPy.

AXISMASK is the path of the program. Needs numpy. Each test runs in an empty folder of its own.
"""

import os
import pathlib
import re
import resource
import shlex
import struct
import subprocess
import unittest
import xml.etree.ElementTree
import zlib

import numpy as np

from command_test import AXISMASK, CAUSAL, WINDOW, CommandTest, save, spec, write_spec

ROOT = pathlib.Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"
SHADES = 8


def run(*arguments, columns=None, locale="C.UTF-8", **how):
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LC_CTYPE", "LANG")}
    environment["LC_ALL"] = locale
    if columns is not None:
        environment["COLUMNS"] = str(columns)
    command = [AXISMASK, "show", *arguments]
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", check=False, timeout=60, env=environment, **how
    )


def layer(name, window, **more):
    kind = {"type": CAUSAL} if window is None else {"type": WINDOW, "sliding_window_size": window}
    return {"name": name, "masked_out_value": "lowest", **kind, **more}


def write_layers(*layers, **more):
    write_spec({"axismask": 1, "model": "tiny", "layers": list(layers), **more})


def window_mask(q, k, window=None):
    """What a window keeps, or a causal mask."""
    q, k = np.asarray(q, np.int64)[:, None], np.asarray(k, np.int64)
    return (q >= k) & (k >= 0) & ((q - k < window) if window is not None else True)


def tile_counts(keep, queries, keys):
    """How many logits each tile keeps, and how many it has."""
    def sums(array):
        rows = np.add.reduceat(array.astype(np.int64), np.arange(0, array.shape[0], queries), axis=0)
        return np.add.reduceat(rows, np.arange(0, array.shape[1], keys), axis=1)

    return sums(keep), sums(np.ones_like(keep))


def rectangles(path):
    """Those of an SVG path that has no others: x, y, width, height."""
    pattern = r"M(\d+) (\d+)h(\d+)v(\d+)h-(\d+)z"
    data = path.get("d")
    found = [tuple(map(int, numbers)) for numbers in re.findall(pattern, data)]
    assert re.sub(pattern, "", data) == "" and all(one[2] == one[4] for one in found), data
    return [one[:4] for one in found]


def colour(path):
    return tuple(bytes.fromhex(path.get("fill")[1:]))


class Picture:
    """An SVG file: its shapes in order, and its masks, each a dict of what is drawn to rectangles."""

    def __init__(self, file):
        root = xml.etree.ElementTree.parse(file).getroot()
        assert root.tag == f"{SVG}svg", root.tag
        self.width, self.height = int(root.get("width")), int(root.get("height"))
        assert root.get("viewBox") == f"0 0 {self.width} {self.height}"
        assert {child.tag for child in root} <= {f"{SVG}title", f"{SVG}path", f"{SVG}text"}
        self.paths = root.findall(f"{SVG}path")
        self.texts = root.findall(f"{SVG}text")
        self.words = [text.text for text in self.texts]
        self.masks = []
        for path in self.paths:
            kind = path.get("class")
            if kind == "masked":
                self.masks.append({"parts": {}})
            if self.masks and kind == "part":
                self.masks[-1]["parts"][colour(path)] = rectangles(path)
            elif self.masks and kind in ("masked", "kept", "padding", "reach"):
                self.masks[-1][kind] = rectangles(path)

    def levels(self, mask, rows, columns):
        """The shade of each cell: 0 masked ... SHADES kept, -1 padding. And the cells' sizes in pixels."""
        [(x, y, width, height)] = mask["masked"]
        assert width % columns == 0 and height % rows == 0, (width, columns, height, rows)
        cell = height // rows, width // columns
        painted = np.zeros((height, width), np.int64)

        def paint(parts, level):
            for left, top, wide, high in parts:
                assert left >= x and top >= y and left + wide <= x + width and top + high <= y + height
                area = painted[top - y : top - y + high, left - x : left - x + wide]
                assert not area.any(), "shapes of a mask overlap"
                area[...] = level

        paint(mask.get("kept", []), SHADES)
        paint(mask.get("padding", []), -1)
        ground, full = np.array([233, 237, 242]), np.array([37, 99, 168])
        for paint_colour, parts in mask["parts"].items():
            level = round(float(np.mean((np.array(paint_colour) - ground) / (full - ground))) * SHADES)
            paint(parts, level)
        grid = painted[:: cell[0], :: cell[1]]
        assert (np.kron(grid, np.ones(cell, np.int64)) == painted).all(), "shapes are no whole cells"
        return grid, cell


def read_png(file):
    """The pixels of an 8-bit RGB file, height x width x 3."""
    data = pathlib.Path(file).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed, header = 8, b"", None
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        content = data[at + 8 : at + 8 + size]
        assert zlib.crc32(kind + content) == struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0]
        at += 12 + size
        if kind == b"IHDR":
            header = struct.unpack(">IIBBBBB", content)
        elif kind == b"IDAT":
            packed += content
    width, height = header[:2]
    assert header[2:] == (8, 2, 0, 0, 0), header
    lines = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 1 + 3 * width)
    assert not lines[:, 0].any(), "the lines are not filtered"
    return lines[:, 1:].reshape(height, width, 3)


class ShowTest(CommandTest):
    def show(self, *arguments, **how):
        result = run("spec.json", *arguments, **how)
        self.assert_ok(result)
        return result.stdout

    def picture(self, *arguments):
        self.show(*arguments, "--out", "picture.svg")
        return Picture("picture.svg")

    def check_levels(self, picture, mask, keep, padding=None):
        """Compares a mask of a picture, exactly, with what is to be kept."""
        [(_, _, width, height)] = mask["masked"]
        longer = max(keep.shape)
        tile = -(-longer // 512) if len(picture.masks) == 1 else -(-longer // 384)
        kept, logits = tile_counts(keep, tile, tile)
        expected = np.clip((2 * SHADES * kept + logits) // (2 * logits), 1, SHADES - 1)
        expected[kept == 0] = 0
        expected[kept == logits] = SHADES
        if padding is not None:
            expected[padding & (kept == 0)] = -1
        grid, cell = picture.levels(mask, *expected.shape)
        np.testing.assert_array_equal(grid, expected)
        # What is kept whole covers an area of its number of tiles.
        area = sum(wide * high for _, _, wide, high in mask.get("kept", []))
        self.assertEqual(area, int((kept == logits).sum()) * cell[0] * cell[1])
        return cell


class Terminal(ShowTest):
    def test_window(self):
        write_spec(spec())
        self.assertEqual(
            self.show("--layer", "layers.0", "--seq", "6"),
            "layers.0\n"
            "q >= k && q - k < 3 && k >= 0\n"
            "seq 6 ↓ × kv_seq 6 →\n"
            "┌────────────┐\n"
            "│██          │\n"
            "│████        │\n"
            "│██████      │\n"
            "│  ██████    │\n"
            "│    ██████  │\n"
            "│      ██████│\n"
            "└────────────┘\n"
            "kept 15 of 36 (41.7 %)\n"
            "1 to 3 keys a query\n"
            "\n"
            "██ a logit that is kept\n",
        )

    def test_ascii(self):
        write_spec(spec())
        for locale in ["C", "POSIX", "de_DE.ISO-8859-1"]:
            self.assertEqual(
                self.show("--layer", "layers.0", "--seq", "2", "--kv-seq", "4", locale=locale),
                "layers.0\n"
                "q >= k && q - k < 3 && k >= 0\n"
                "seq 2 down x kv_seq 4 across\n"
                "+--------+\n"
                "|######..|\n"
                "|..######|\n"
                "+--------+\n"
                "kept 6 of 8 (75.0 %)\n"
                "3 keys a query\n"
                "\n"
                "## a logit that is kept\n",
            )

    def test_padding(self):
        write_spec(spec())
        save("p.npy", np.array([-1, -1, 0, 1, 2, 3]))
        self.assertEqual(
            self.show("--input", "token_positions=p.npy:seq"),
            "layers.0\n"
            "q >= k && q - k < 3 && k >= 0\n"
            "seq 6 ↓ × kv_seq 6 →\n"
            "┌pppp────────┐\n"
            "p            │\n"
            "p            │\n"
            "│    ██      │\n"
            "│    ████    │\n"
            "│    ██████  │\n"
            "│      ██████│\n"
            "└────────────┘\n"
            "kept 9 of 36 (25.0 %)\n"
            "0 to 3 keys a query\n"
            "\n"
            "██ a logit that is kept\n"
            "p on the frame: padding, a negative position or id\n",
        )

    def test_side_by_side_as_far_as_there_is_room(self):
        write_layers(layer("a", 2), layer("b", None))
        both = (
            "a                                        b\n"
            "q >= k && q - k < 2 && k >= 0            q >= k && k >= 0\n"
            "seq 3 ↓ × kv_seq 3 →                     seq 3 ↓ × kv_seq 3 →\n"
            "┌──────┐                                 ┌──────┐\n"
            "│██    │                                 │██    │\n"
            "│████  │                                 │████  │\n"
            "│  ████│                                 │██████│\n"
            "└──────┘                                 └──────┘\n"
            "kept 5 of 9 (55.6 %)                     kept 6 of 9 (66.7 %)\n"
            "1 to 2 keys a query                      1 to 3 keys a query\n"
        )
        key = "\n██ a logit that is kept\n"
        self.assertEqual(self.show("--seq", "3"), both + key)
        self.assertEqual(self.show("--seq", "3", columns="no number"), both + key)
        first, second = ("".join(part.strip(" ") + "\n" for part in parts) for parts in zip(
            *((line[:41], line[41:]) for line in both.splitlines())))
        self.assertEqual(self.show("--seq", "3", columns=70), first + "\n" + second + key)

    def map_lines(self, text):
        return [line[1:-1] for line in text.splitlines() if line[:1] in tuple("│p|")]

    def test_half_blocks(self):
        write_spec(spec({"sliding_window_size": 5}))
        for queries, keys in [(39, 39), (50, 70), (5, 78)]:
            keep = window_mask(np.arange(keys - queries, keys), np.arange(keys), 5)
            keep = np.pad(keep, ((0, queries % 2), (0, 0)))
            expected = ["".join(" ▄▀█"[2 * a + b] for a, b in zip(*pair)) for pair in
                        keep.astype(int).reshape(-1, 2, keys)]
            # 39 keys have room for two signs each in 80 columns, and not in 79.
            text = self.show("--seq", str(queries), "--kv-seq", str(keys), columns=80 if keys > 39 else 79)
            self.assertEqual(self.map_lines(text), expected)
            self.assertIn("\neach sign is 2 queries by 1 key: █ ▀ ▄ kept both, the first, the second\n", text)

    def test_tiles(self):
        names = {"query_positions_input_name": "q", "kv_positions_input_name": "k"}
        write_spec(spec({"sliding_window_size": 300, **names}))
        for queries, keys, columns, tile, locale in [
            (1000, 1000, 80, (26, 13), "C.UTF-8"),
            (1024, 1024, 80, (32, 16), "C.UTF-8"),
            (1024, 1024, 80, (32, 16), "C"),
            (77, 500, 40, (28, 14), "C.UTF-8"),
            (1, 500, 40, (1, 14), "C.UTF-8"),
            (39, 39, 40, (4, 2), "C"),
            (8000, 12, 40, (100, 1), "C.UTF-8"),
        ]:
            with self.subTest(queries=queries, keys=keys, columns=columns):
                positions = max(keys - queries, 0) + np.arange(queries), np.arange(keys)
                keep = window_mask(*positions, 300)
                for name, given in zip("qk", positions):
                    save(f"{name}.npy", given)
                kept, logits = tile_counts(keep, *tile)
                signs = " ░▒▓█" if locale != "C" else ".///#"
                level = np.where(kept == 0, 0, np.where(kept == logits, 4, 1 + 3 * kept // logits))
                inputs = ["--input", "q=q.npy:seq", "--input", "k=k.npy:seq"]
                text = self.show(*inputs, columns=columns, locale=locale)
                self.assertEqual(self.map_lines(text), ["".join(signs[one] for one in row) for row in level])
                words = "query" if tile[0] == 1 else "queries"
                parts = "░ ▒ ▓" if locale != "C" else "/"
                of_keys = "key" if tile[1] == 1 else "keys"
                self.assertIn(
                    f"\neach sign is {tile[0]} {words} by {tile[1]} {of_keys}: {signs[4]} kept whole, {parts} in part\n",
                    text,
                )
                per_query = keep.sum(1)
                self.assertIn(f"kept {keep.sum():,} of {keep.size:,} ({100 * keep.mean():.1f} %)\n", text)
                most = per_query.max()
                few = "" if per_query.min() == most else f"{per_query.min()} to "
                self.assertIn(f"\n{few}{most} keys a query\n", text)

    def test_one_of_each_mask_of_a_model(self):
        masks = {"sliding": layer("", 2), "full": layer("", None)}
        for mask in masks.values():
            del mask["name"]
        group = {"name": "layers.{}", "count": 7, "pattern": ["sliding", "sliding", "full"]}
        lowest = layer("another masked value, the same mask", None, masked_out_value=-1e9)
        write_layers(group, lowest, layer("alone", 3), masks=masks)
        lines = self.show("--seq", "3", columns=120).splitlines()
        self.assertEqual(re.split("  +", lines[0]), ["sliding: layers.0 and 4 more", "full: layers.2 and 2 more", "alone"])
        self.assertEqual([line.count("┌") for line in lines].count(3), 1)

    def test_long_names_are_broken(self):
        name = "a name of many words that is longer than what has room"
        write_layers(layer(name, 2), layer("x" * 50, None))
        lines = self.show("--seq", "3").splitlines()
        self.assertEqual(lines[0], "a name of many words that is longer      " + "x" * 38)
        self.assertEqual(lines[1], "than what has room                       " + "x" * 12)
        self.assertEqual(lines[4], "┌──────┐                                 ┌──────┐")


class Planes(ShowTest):
    def test_windows_of_each_head(self):
        write_spec(spec({"sliding_window_size": {"axis": "heads", "values": [1, 3, 2]}}))
        lines = self.show("--seq", "4", "--at", "heads=1", "--at", "heads=0").splitlines()
        self.assertEqual(re.split("  +", lines[0]), ["layers.0, heads 1", "layers.0, heads 0"])
        self.assertEqual(re.split("   +", lines[1]), ["q >= k && q - k < 3 && k >= 0", "q >= k && q - k < 1 && k >= 0"])
        self.assertEqual(lines[9].split("   ")[0], "kept 9 of 16 (56.2 %)")
        self.assertIn("kept 4 of 16 (25.0 %)", lines[9])
        self.assertTrue(self.show("--seq", "4").startswith("layers.0, heads 0\n"))

    def test_rows_of_a_batch_and_heads(self):
        write_spec(spec({"sliding_window_size": {"axis": "heads", "values": [1, 3]}}))
        rows = np.array([[0, 1, 2, 3, 4], [-1, -1, 0, 7, 1]])
        save("p.npy", rows)
        picture = self.picture(
            "--input", "token_positions=p.npy:batch,seq", "--at", "heads=0", "--at", "batch=1", "--at", "heads=1"
        )
        self.assertEqual(
            [words for words in picture.words if "layers.0" in words],
            ["layers.0, batch 1, heads 0", "layers.0, batch 1, heads 1"],
        )
        padding = (rows[1] < 0)[:, None] | (rows[1] < 0)
        for mask, window in zip(picture.masks, [1, 3]):
            self.check_levels(picture, mask, window_mask(rows[1], rows[1], window), padding)

    def test_explicit_mask(self):
        write_layers({"name": "a", "type": "ApplyExplicitAttentionMask", "masked_out_value": "lowest"})
        given = np.random.default_rng(5).random((3, 20, 30)) < 0.4
        save("m.npy", given)
        picture = self.picture("--input", "mask=m.npy:heads,seq,kv_seq", "--at", "heads=2")
        self.check_levels(picture, picture.masks[0], given[2])
        # One size is that of both where nothing says another.
        save("m.npy", given[0, 0])
        picture = self.picture("--input", "mask=m.npy:kv_seq")
        self.check_levels(picture, picture.masks[0], np.broadcast_to(given[0, 0], (30, 30)))

    def test_each_layer_takes_its_own_inputs(self):
        document = {"type": "ApplyDocumentAttentionMask"}
        window = {"type": WINDOW, "sliding_window_size": 3}
        write_layers(layer("a", 3), {"name": "b", "masked_out_value": "lowest", "all": [window, document]})
        ids = np.array([0, 0, 1, 1, 1, -1])
        save("d.npy", ids)
        picture = self.picture("--input", "segment_ids=d.npy:seq", "--seq", "6")
        keep = window_mask(np.arange(6), np.arange(6), 3)
        self.check_levels(picture, picture.masks[0], keep)
        keep &= (ids[:, None] == ids) & (ids >= 0)
        self.check_levels(picture, picture.masks[1], keep, (ids[:, None] < 0) | (ids < 0))


class Files(ShowTest):
    def test_small(self):
        write_spec(spec())
        picture = self.picture("--seq", "6")
        [mask] = picture.masks
        cell = self.check_levels(picture, mask, window_mask(np.arange(6), np.arange(6), 3))
        self.assertEqual(cell, (26, 26))
        self.assertEqual(picture.words[:3], ["tiny", "layers.0", "q >= k && q - k < 3 && k >= 0"])
        for words in ["seq: 6 queries", "kv_seq: 6 keys", "kept 15 of 36 (41.7 %)", "1 to 3 keys a query", "window 3"]:
            self.assertEqual(picture.words.count(words), 1, words)
        self.assertEqual(picture.words[-2:], ["kept", "masked"])  # the legend: what occurs
        # Each query and each key has its number.
        for number in range(6):
            self.assertEqual(picture.words.count(str(number)), 2)
        # The bracket: query 3 is the first of the middle ones to see three keys, 1 to 3.
        [(x, y, _, _)] = mask["masked"]
        left, right, line = mask["reach"]
        self.assertEqual((line[0], line[2]), (x + 26, 3 * 26))
        self.assertEqual(line[1] + 1, y + 3 * 26 + 13)
        self.assertEqual((left[0], right[0] + right[2]), (line[0], line[0] + line[2]))

    def test_tiles_in_shades(self):
        write_layers(layer("a", 300), layer("b", None))
        for queries, keys in [(1000, 1000), (1500, 1501), (333, 1000)]:
            with self.subTest(queries=queries, keys=keys):
                picture = self.picture("--seq", str(queries), "--kv-seq", str(keys))
                positions = np.arange(keys - queries, keys), np.arange(keys)
                for mask, window in zip(picture.masks, [300, None]):
                    self.check_levels(picture, mask, window_mask(*positions, window))
                self.assertEqual(picture.words.count("window 300"), 1)
                tile = -(-keys // 384)
                self.assertEqual(picture.words[-3:], ["kept", f"kept in part: a tile of {tile} × {tile} logits", "masked"])

    def test_a_window_that_no_query_reaches_has_no_bracket(self):
        write_spec(spec({"sliding_window_size": 7}))
        self.assertNotIn("reach", self.picture("--seq", "6").masks[0])
        self.assertIn("reach", self.picture("--seq", "7").masks[0])

    def test_what_reaches(self):
        def one(**mask):
            write_layers({"name": "a", "masked_out_value": "lowest", **mask})
            picture = self.picture("--seq", "64")
            [(x, _, width, _)] = picture.masks[0]["masked"]
            if "reach" not in picture.masks[0]:
                return None
            left, _, wide, _ = picture.masks[0]["reach"][2]
            cell = width // 64
            return (left - x) // cell, (left - x + wide) // cell - 1, picture.words[-3]

        causal, window = {"type": CAUSAL}, {"type": WINDOW, "sliding_window_size": 10}
        # From the first key to the last, for the query in the middle or the nearest that reaches.
        self.assertEqual(one(**window), (23, 32, "window 10"))
        self.assertEqual(one(type="ApplyChunkedAttentionMask", attention_chunk_size=24), (0, 23, "chunk 24"))
        two_sides = {"window_left": 5, "window_right": 3}
        self.assertEqual(one(type="ApplyBidirectionalWindowAttentionMask", **two_sides), (27, 35, "5 + 1 + 3 keys"))
        dilated = {"sliding_window_size": 10, "dilation": 3}
        self.assertEqual(one(type="ApplyDilatedWindowAttentionMask", **dilated), (23, 32, "window 10"))
        sinks = {"type": "ApplySinksAttentionMask", "sink_count": 4}
        self.assertEqual(one(all=[causal, {"any": [window, sinks]}]), (23, 32, "window 10"))
        self.assertIsNone(one(all=[causal, {"not": window}]))
        self.assertIsNone(one(**causal))

    def test_png_is_svg(self):
        """The rectangles of the SVG, painted, are the PNG but for the letters, and letters are where texts are."""
        save("p.npy", np.stack([np.arange(24), np.maximum(np.arange(24) - 9, -1)]))
        write_layers(layer("a & <b>", 8), layer("longer than its picture is wide " * 4, None))
        for arguments in [
            ["--seq", "6"],
            ["--seq", "1", "--kv-seq", "2000"],
            ["--seq", "900", "--layer", "a & <b>"],
            ["--input", "token_positions=p.npy:batch,seq", "--at", "batch=0", "--at", "batch=1"],
        ]:
            with self.subTest(arguments=arguments):
                picture = self.picture(*arguments)
                self.show(*arguments, "--out", "picture.png")
                pixels = read_png("picture.png")
                self.assertEqual(pixels.shape, (2 * picture.height, 2 * picture.width, 3))
                painted = np.zeros_like(pixels)
                for path in picture.paths:
                    for x, y, width, height in rectangles(path):
                        painted[2 * y : 2 * (y + height), 2 * x : 2 * (x + width)] = colour(path)
                differs = (pixels != painted).any(2)
                for text in picture.texts:
                    x, y, size = (2 * int(text.get(name)) for name in ("x", "y", "font-size"))
                    length = int(0.75 * size * len(text.text)) + size
                    before = {None: 0, "middle": length // 2, "end": length}[text.get("text-anchor")] + 2
                    if text.get("transform"):
                        box = np.s_[max(y - length + before, 0) : y + before, x - size : x + size // 3]
                    else:
                        box = np.s_[y - size : y + size // 3, max(x - before, 0) : x - before + length + 4]
                    self.assertTrue(differs[box].any() or (pixels[box] != painted[box]).any(), text.text)
                    painted[box] = pixels[box]
                np.testing.assert_array_equal(pixels, painted)
                for edge in [pixels[:20], pixels[-20:], pixels[:, :20], pixels[:, -20:]]:
                    self.assertTrue((edge == 255).all(), "something leaves the picture")

    def test_png_at_the_middle_of_cells(self):
        write_spec(spec({"sliding_window_size": 11}))
        save("p.npy", np.maximum(np.arange(50) - 20, -1))
        arguments = ["--input", "token_positions=p.npy:seq"]
        mask = self.picture(*arguments).masks[0]
        self.show(*arguments, "--out", "picture.png")
        [(x, y, width, _)] = mask["masked"]
        cell = width // 50
        at = 2 * (np.arange(50) * cell + cell // 4)  # a quarter: the bracket runs along the middle
        pixels = read_png("picture.png")[2 * y + at[:, None], 2 * x + at]
        positions = np.maximum(np.arange(50) - 20, -1)
        keep = window_mask(positions, positions, 11)
        padding = (positions[:, None] < 0) | (positions < 0)
        expected = np.where(keep[..., None], (37, 99, 168), np.where(padding[..., None], (246, 207, 131), (233, 237, 242)))
        # The bracket's ends and its name are in the way at some; nowhere else.
        wrong = (pixels != expected).any(2)
        rows = np.flatnonzero(wrong.any(1))
        query = round((mask["reach"][2][1] + 1 - y) / cell - 0.5)
        self.assertTrue(set(rows) <= {query - 1, query, query + 1}, rows)
        self.assertLess(wrong.sum(), 30)

    def test_many_masks_in_rows(self):
        write_layers(*(layer(f"l{index}", index + 1) for index in range(6)))
        picture = self.picture("--seq", "8")
        places = [mask["masked"][0][:2] for mask in picture.masks]
        self.assertEqual(len({y for _, y in places}), 2)
        self.assertEqual([len([place for place in places if place[1] == y]) for y in sorted({y for _, y in places})], [3, 3])
        for index, mask in enumerate(picture.masks):
            grid, _ = picture.levels(mask, 8, 8)
            np.testing.assert_array_equal(grid == SHADES, window_mask(np.arange(8), np.arange(8), index + 1))

    def test_names_are_written_for_xml(self):
        write_layers(layer("<&>\n\u0007 ü", 2))
        picture = self.picture("--seq", "3")
        self.assertEqual(picture.words[1], "<&>   ü")

    def test_the_line_and_the_file(self):
        write_layers(layer("a", 2), layer("b", None))
        self.assertEqual(self.show("--seq", "3", "--out", "a.svg"), "2 masks, written to a.svg\n")
        first = pathlib.Path("a.svg").read_bytes()
        self.show("--seq", "3", "--out", "a.svg")
        self.assertEqual(pathlib.Path("a.svg").read_bytes(), first)
        self.assertEqual(sorted(os.listdir()), ["a.svg", "spec.json"])

    def test_no_room(self):
        write_spec(spec())

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

        self.assert_error(
            run("spec.json", "--seq", "6", "--out", "a.png", preexec_fn=limit),
            "error[picture-write] a.png: it cannot be written (File too large); make room, or write to another folder",
        )
        self.assertEqual(os.listdir(), ["spec.json"])

    def test_pictures_of_the_page(self):
        """The pictures of docs/command.md are what its commands make, and so is what it shows of the terminal."""
        before = os.getcwd()
        os.chdir(ROOT)
        self.addCleanup(os.chdir, before)
        page = pathlib.Path("docs/command.md").read_text(encoding="utf-8")
        commands = re.findall(r"^axismask show (.* --out docs/pictures/\S+)$", page.replace("\\\n", ""), re.M)
        [(typed, printed)] = re.findall(r"^```console\n\$ axismask show (.*)\n((?:.*\n)*?)```$", page, re.M)
        result = run(*shlex.split(typed))
        self.assert_ok(result)
        self.assertEqual(result.stdout, printed)
        shown = ["docs/" + path for path in re.findall(r"!\[.+\]\((pictures/\S+)\)", page)]
        self.assertEqual(len(shown), 3)
        self.assertEqual(sorted(command.split()[-1] for command in commands), sorted(shown))
        for command in commands:
            *arguments, out = shlex.split(command)
            made = os.path.join(self.folder, os.path.basename(out))
            result = run(*arguments, made)
            self.assert_ok(result)
            self.assertEqual(pathlib.Path(made).read_bytes(), pathlib.Path(out).read_bytes(), out)
            self.assertLess(os.path.getsize(out), 60000)


class Errors(ShowTest):
    def check(self, arguments, line):
        with self.subTest(arguments=arguments):
            self.assert_error(run("spec.json", *arguments), line)
            self.assertEqual(sorted(os.listdir()), self.files)

    def test_lines(self):
        write_layers(layer("a", {"axis": "heads", "values": [1, 2]}), layer("b", None))
        save("p.npy", np.arange(6, dtype=np.int32))
        self.files = sorted(os.listdir())
        sizes = "give a size from 1 to 2147483647"
        for arguments, line in [
            (
                [],
                'error[mask-size] --seq: nothing tells the size of the axis "seq"; '
                "give it, or side inputs that lie along the axis",
            ),
            (["--seq", "0"], f'error[mask-size] --seq: the axis "seq" has the size 0; {sizes}'),
            (["--seq", "-1"], f'error[mask-size] --seq: the axis "seq" has the size -1; {sizes}'),
            (["--seq", "2147483648"], f'error[mask-size] --seq: the axis "seq" has the size 2147483648; {sizes}'),
            (
                ["--seq", "1", "--kv-seq", "0"],
                f'error[mask-size] --kv-seq: the axis "kv_seq" has the size 0; {sizes}',
            ),
            (
                ["--seq", "1000000"],
                "error[mask-size] --seq: 1000000 x 1000000 logits are more than 2^36; give smaller sizes",
            ),
            (
                ["--seq", "6", "--kv-seq", "5"],
                "error[mask-size] --kv-seq: 6 queries are to be the last of 5 keys; "
                "give at least as many keys, or the positions of both",
            ),
            (["--seq", "2.5"], 'error[usage] --seq: it is "2.5", which is no whole number; see axismask --help'),
            (
                ["--seq", "3", "--layer", "c"],
                'error[spec-layer-name] --layer: the model "tiny" has no layer "c"; '
                'its layers are "a", "b"',
            ),
            (
                ["--seq", "3", "--out", "a.jpg"],
                'error[usage] --out: "a.jpg" is neither a .png nor a .svg file; give a name that ends in .png or .svg',
            ),
            (
                ["--seq", "3", "--out", "none/a.svg"],
                "error[picture-write] none/a.svg: there is no folder none; make the folder, or write to another",
            ),
            (
                ["--seq", "3", "--at", "heads=2"],
                'error[mask-index] --at: there is no index 2 along the axis "heads", whose size is 2; '
                "give an index that is less than the size, and at least 0",
            ),
            (
                ["--seq", "3", "--at", "head=1"],
                'error[mask-index] --at: the mask does not change along an axis "head"; it changes along "heads" '
                '(did you mean "heads"?); give an index along an axis of the side inputs or of a layer\'s numbers',
            ),
            (
                ["--seq", "3", "--at", "heads=one"],
                'error[usage] --at: "heads=one" is not AXIS=INDEX; give an axis\' name and a whole number',
            ),
            (
                ["--seq", "3", "--input", "tokens=p.npy:seq"],
                'error[side-input-unknown] --input tokens: there is no side input "tokens"; the layer takes '
                '"token_positions"; leave it out, or give it the name that the layer uses',
            ),
            (
                ["--seq", "3", "--input", "token_positions=p.npy:seq"],
                'error[axis-size] --input token_positions: its axis "seq" has size 6, and that of the logits has 3; '
                "give one element for each index of the logits' axis",
            ),
            (
                ["--input", "token_positions=p.npy:seq", "--input", "token_positions=p.npy:seq"],
                'error[side-input-twice] --input token_positions: the side input "token_positions" is given twice; '
                "leave one of them out",
            ),
            (
                ["--seq", "3", *(f"--at=heads={index % 2}" for index in range(65))],
                "error[usage] --layer: there are more than 64 masks to show; "
                "name some layers, and fewer indices with --at",
            ),
        ]:
            self.check(arguments, line)

    def test_side_inputs_that_nobody_can_make_up(self):
        write_layers({"name": "a", "type": "ApplyDocumentAttentionMask", "masked_out_value": 0},
                     {"name": "b", "type": "ApplyExplicitAttentionMask", "masked_out_value": 0})
        self.files = sorted(os.listdir())
        for name, layer_name, attribute in [
            ("segment_ids", "a", "query_segment_ids_input_name"),
            ("mask", "b", "mask_input_name"),
        ]:
            self.check(
                ["--layer", layer_name, "--seq", "3"],
                f'error[side-input-missing] --input {name}: the side input "{name}" is missing; given: none; '
                f"give it, or set the layer's {attribute}",
            )

        # Names of side inputs that are words of ours, too.
        names = {"query_positions_input_name": "queries", "kv_positions_input_name": "keys"}
        write_layers(layer("a", 3, **names))
        save("p.npy", np.arange(6))
        self.files = sorted(os.listdir())
        self.check(
            ["--input", "keys=p.npy:seq"],
            'error[side-input-missing] --input queries: the side input "queries" is missing; given: "keys"; '
            "give it, or set the layer's query_positions_input_name",
        )

    def test_terminal_that_cannot_be_written(self):
        write_spec(spec())
        with open("/dev/full", "w", encoding="utf-8") as full:
            command = [AXISMASK, "show", "spec.json", "--seq", "3"]
            result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(result.returncode, 2)
        self.assertEqual(
            result.stderr,
            "axismask: error[output] stdout: the output cannot be written; make room, or write to another place\n",
        )


if __name__ == "__main__":
    unittest.main()
