"""The report's template, compiled once: making it anew would take a tenth of a second of each run."""

import hashlib
import os
from pathlib import Path

import jinja2

from simulator.jit import cache_folder


def compiled_templates(options: Path) -> jinja2.BytecodeCache | None:
    """Where compiled templates are kept, beside the kernels; None where nothing can be written there.

    Jinja itself looks at a template's content. What else decides the code, the options of the environment, stands in
    the file `options`, whose content is therefore part of the name.
    """
    folder = cache_folder(Path(__file__).parent)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    if not os.access(folder, os.W_OK):
        return None
    digest = hashlib.sha256(options.read_bytes()).hexdigest()[:16]
    return jinja2.FileSystemBytecodeCache(str(folder), f"{digest}-%s.jinja")
