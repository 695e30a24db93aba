"""Ten thousand playbook files that somebody spoiled: each is a playbook or a complaint, and never a stack trace."""

import random
import re
from pathlib import Path

from cs_pipeline.plays.playbooks.reading import SHIPPED, read_playbook
from cs_pipeline.yaml_with_lines import InvalidFile
from tests.plays.playbooks.test_schema import GOOD

FILES = 10_000
JUNK = (
    *("{", "}", "[", "]", ":", "- ", "'", '"', "|", ">", "&a", "*a", "!!python/object:os.system", "%", "@", "#", "\t"),
    *("\x00", "\ufeff", "é", "𝒳", "null", "true", "~", "-1", "1e999", ".nan", ".inf", "2025-13-45", "0x1F", "<<: *a"),
    *("{{ 7*7 }}", "__import__('os')", "(" * 50, "not " * 200, "severity == " * 20, "9" * 400, " " * 30),
)


def spoiled(text: str, chance: random.Random) -> str:
    """One to three changes: of lines, of words, of letters."""
    for _ in range(chance.randint(1, 3)):
        lines = text.split("\n")
        place = chance.randrange(len(lines))
        change = chance.randrange(7)
        if change == 0:
            del lines[place]
        elif change == 1:
            lines.insert(place, lines[chance.randrange(len(lines))])
        elif change == 2:
            lines[place] = chance.choice(("  ", "    ", "")) + lines[place].strip()
        elif change == 3:
            lines[place] = re.sub(r"[^ :]+$", lambda _: chance.choice(JUNK), lines[place])
        elif change == 4:
            at = chance.randint(0, len(lines[place]))
            lines[place] = lines[place][:at] + chance.choice(JUNK) + lines[place][at:]
        elif change == 5:
            lines[place] = lines[place].replace(":", "", 1) if chance.random() < 0.5 else lines[place][::-1]
        else:
            lines = lines[:place]
        text = "\n".join(lines) or "x"
    return text


def complaint_about(path: Path) -> str:
    try:
        read_playbook(path)
    except InvalidFile as error:
        return str(error)
    return ""


def test_ten_thousand_spoiled_files_are_playbooks_or_complaints_that_name_a_line(tmp_path: Path) -> None:
    chance = random.Random(20251123)
    shipped = sorted(SHIPPED.glob("*.yaml"), key=lambda path: path.stat().st_size)[:6]
    texts = [GOOD] * 18 + [path.read_text(encoding="utf-8") for path in shipped]
    path = tmp_path / "yellow.yaml"
    refused = 0
    for _ in range(FILES):
        path.write_text(spoiled(chance.choice(texts), chance), encoding="utf-8")
        complaint = complaint_about(path)
        refused += bool(complaint)
        assert all(line.startswith((f"{path}:", " ")) for line in complaint.splitlines())
    assert FILES / 2 < refused < FILES, "some changes leave a playbook a playbook"
