"""Every ID of an error that the code can give stands in docs/messages.md, and no other."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parents[2]

code = set()
for room in ("dsl", "runtime"):
    for path in (ROOT / room).rglob("*.?pp"):
        text = path.read_text()
        for where in (r'\b(?:error|fail|warn)\(\s*"ID"', r'_id = "ID"', r'\bnew_file [^;]*"ID"', r"axismask: error\[ID\]"):
            code |= set(re.findall(where.replace("ID", "([a-z0-9-]+)"), text))
for path in (ROOT / "python").rglob("*.*"):
    if path.suffix in (".cpp", ".hpp", ".py"):
        code |= set(re.findall(r'\b(?:refuse|Error)\(\s*"([a-z0-9-]+)"', path.read_text()))
page = (ROOT / "docs" / "messages.md").read_text()
table = page[page.index("| IDs | about |"):].split("\n\n")[0]
listed = set(re.findall(r"`([a-z0-9-]+)`", table))
if code - listed:
    sys.exit(f"these IDs are not in the table of docs/messages.md: {sorted(code - listed)}")
if listed - code:
    sys.exit(f"docs/messages.md lists IDs that no code gives: {sorted(listed - code)}")
