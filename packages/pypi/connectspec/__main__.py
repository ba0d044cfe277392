"""``python -m connectspec``: the program."""

import os
import sys

from connectspec import program

os.execv(program(), ["connectspec", *sys.argv[1:]])
