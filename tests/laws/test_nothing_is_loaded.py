"""Nothing is loaded, opened or imported for the first time while an alert is decided.

A process without a free descriptor must still know how long a text is (case H1). The story is lived in a fresh process
that forgets the codecs it has, and an audit hook writes down what Python opens or imports inside an input.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
LIVED: Final = """
import codecs, encodings, json, logging, sys
from pathlib import Path
import structlog
from tests.story import BEGIN, Story
from tests.telling_line import Hand

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
folder, preload = Path(sys.argv[1]), sys.argv[2] == "as it is"
story, loaded = Story(folder, Hand(BEGIN)), []
if not preload:  # as in a process in which nobody has asked for them yet
    codecs.unregister(encodings.search_function)
    encodings._cache.clear()
    for name in [name for name in sys.modules if name.startswith("encodings.utf_16")]:
        del sys.modules[name]
    codecs.register(encodings.search_function)

def hear(event, given):
    if event in {"open", "import", "os.listdir", "os.scandir"} and story.line.pipeline.undo.is_open:
        loaded.append(f"{event} {given[0]}")

sys.addaudithook(hear)
story.run()
print(json.dumps(loaded))
"""


def test_no_input_opens_or_imports_anything(tmp_path: Path) -> None:
    assert _loaded(tmp_path, "forgetful") == []


def _loaded(folder: Path, how: str) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-c", LIVED, str(folder), how], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found: list[str] = json.loads(ran.stdout)
    return found
