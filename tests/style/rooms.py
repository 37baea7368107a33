"""Which room may include which. A room is a folder; rooms.txt lists them, each with what it may include.

An include that rooms.txt does not allow, a circle of files, an include of a header that is not there and a folder that is
no room are errors. The picture of the rooms is docs/design.md's.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parents[2]
FOLDERS = {  # where includes are looked for
    "dsl": ROOT / "dsl/include",
    "generators": ROOT / "generators/include",
    "runtime": ROOT / "runtime/include",
    "generators/src": ROOT / "generators/src",
    "runtime/src": ROOT / "runtime/src",
}


def read_rules():
    """rooms.txt: `room: rooms that it may include`; and `header -> room` for public headers of the runtime."""
    allowed, public = {}, {}
    for line in (pathlib.Path(__file__).parent / "rooms.txt").read_text().splitlines():
        line = line.split("#")[0].strip()
        if "->" in line:
            header, room = (part.strip() for part in line.split("->"))
            public[header] = room
        elif line:
            room, others = line.split(":")
            allowed[room.strip()] = set(others.split())
    # What a room may include, the rooms above it may too.
    changed = True
    while changed:
        changed = False
        for room, others in allowed.items():
            for other in list(others):
                if other not in allowed:
                    sys.exit(f"rooms.txt: {room} may include {other}, which is no room")
                if not allowed[other] <= others:
                    others |= allowed[other]
                    changed = True
    for room, others in allowed.items():
        if room in others:
            sys.exit(f"rooms.txt: {room} may include itself by way of others: a circle")
    return allowed, public


def room_of(path, public):
    name = path.relative_to(ROOT).as_posix()
    if name.startswith("runtime/include/"):
        return public.get(path.name)
    for folder, where in (("dsl", "dsl/include/axismask/"), ("runtime", "runtime/src/")):
        if name.startswith(where):
            parts = name[len(where):].split("/")
            return folder + "/" + (parts[0] if len(parts) > 1 else "top")
    return "generators"


def main():
    allowed, public = read_rules()
    files = {}
    for folder in ("dsl/include", "generators", "runtime/include", "runtime/src"):
        for path in sorted((ROOT / folder).rglob("*.*")):
            if path.suffix not in {".cpp", ".hpp", ".h"}:
                continue
            files[path] = re.findall(r'^#include "([^"]+)"', path.read_text(), re.M)
    if len(files) < 100:
        sys.exit("there are too few files: where are the rooms?")

    faults = []
    graph = {}
    seen_rooms = set()
    for path, includes in files.items():
        room = room_of(path, public)
        seen_rooms.add(room)
        name = path.relative_to(ROOT)
        if room not in allowed:
            faults.append(f"{name}: its folder is no room of rooms.txt")
            continue
        graph[path] = []
        for include in includes:
            places = [place / include for place in (*FOLDERS.values(), path.parent)]
            found = next((place for place in places if place in files), None)
            if found is None:
                faults.append(f"{name}: there is no {include}")
                continue
            graph[path].append(found)
            other = room_of(found, public)
            if other != room and other not in allowed[room]:
                faults.append(f"{name}: {room} may not include {other} ({include})")
    for room in allowed.keys() - seen_rooms:
        faults.append(f"rooms.txt: there is no file in {room}")

    done, on_the_way = set(), []

    def visit(path):
        if path in on_the_way:
            circle = [one.relative_to(ROOT).as_posix() for one in on_the_way[on_the_way.index(path):] + [path]]
            faults.append("a circle: " + " -> ".join(circle))
        elif path not in done:
            on_the_way.append(path)
            for other in graph.get(path, []):
                visit(other)
            done.add(on_the_way.pop())

    for path in graph:
        visit(path)
    if faults:
        sys.exit("\n".join(faults))
    print(f"{len(files)} files in {len(seen_rooms)} rooms: each includes what its room may")


if __name__ == "__main__":
    main()
