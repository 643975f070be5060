"""Copy the few npm files that pages load from node_modules/ into the ignored static/vendor/.

Whole `dist` folders would make 56 MB of static files. Run after `npm ci`: `python scripts/vendor.py`.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

FILES = (
    "bootstrap/dist/css/bootstrap.min.css",
    "lightweight-charts/dist/lightweight-charts.standalone.production.js",
    "uplot/dist/uPlot.iife.min.js",
    "uplot/dist/uPlot.min.css",
)


_SOURCE_MAP = re.compile(rb"\n?/\*# sourceMappingURL=[^*]*\*/")


def copy_all(root: Path = ROOT) -> int:
    """Copies what is missing or changed; returns how many files were written. Raises FileNotFoundError by name."""
    written = 0
    for name in FILES:
        source, target = root / "node_modules" / name, root / "static" / "vendor" / Path(name).name
        # the map itself is not copied, and hashed static files refuse a link that leads nowhere
        content = _SOURCE_MAP.sub(b"", source.read_bytes())
        if not target.exists() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            written += 1
    return written


def main() -> int:
    try:
        written = copy_all()
    except FileNotFoundError as error:
        print(f"{error.filename} is missing; run `npm ci` first", file=sys.stderr)
        return 1
    print(f"static/vendor: {len(FILES)} files, {written} copied")
    return 0


if __name__ == "__main__":
    sys.exit(main())
