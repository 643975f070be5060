"""What the web process imports of this room stays light."""

import subprocess
import sys

from marketdata.store import Store
from tests.marketdata.build import meta, random_ohlcv

CODE = """
import sys
import marketdata.catalog, marketdata.config, marketdata.features, marketdata.quality, marketdata.setup_samples
import marketdata.splits, marketdata.store
heavy = ("pandas", "numba", "talib", "pyarrow", "exchange_calendars", "skfolio", "torch", "django")
print([name for name in heavy if name in sys.modules])
"""


def test_importing_the_room_loads_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_loading_bars_does_not_import_pandas(tmp_path):
    version = Store(tmp_path).put(random_ohlcv(50), meta())
    code = f"""
import sys
from pathlib import Path
from marketdata.quality import check
from marketdata.store import Store
check(Store(Path({str(tmp_path)!r})).load({version!r}))
print([name for name in ("pandas", "numba", "talib") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
