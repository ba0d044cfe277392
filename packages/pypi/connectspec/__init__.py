"""The conformance suite for HTTP CONNECT proxies: where its program is, and a plugin for pytest."""

import os
import shutil
import sys
import sysconfig


def program():
    """The path of the program ``connectspec``: the one of this wheel, before any other in PATH."""
    folders = [sysconfig.get_path("scripts"), os.path.dirname(sys.executable), _user_scripts()]
    for folder in folders:
        path = os.path.join(folder, "connectspec")
        if os.path.isfile(path):
            return path
    path = shutil.which("connectspec")
    if path is None:
        raise FileNotFoundError(f"there is no program connectspec in {', '.join(folders)} or PATH; install the wheel again")
    return path


def _user_scripts():
    # Where `pip install --user` puts programs.
    return sysconfig.get_path("scripts", "posix_user")
