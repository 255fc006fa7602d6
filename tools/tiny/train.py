"""Train, evaluate and export the tiny model: ``python tools/tiny/train.py --help``."""

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
runpy.run_module("tools.tiny", run_name="__main__", alter_sys=True)
