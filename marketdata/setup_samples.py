"""`python -m marketdata.setup_samples ROOT`: the bundled samples into the store at ROOT. Again changes nothing."""

import argparse
import sys
from pathlib import Path

from marketdata.catalog import Catalog
from marketdata.sources.base import Source, source
from marketdata.store import Store, StoreError


def put_samples(store: Store) -> dict[str, str]:
    """Version by dataset id. What is stored from the same files is checked, and only made again when damaged."""
    sample = source("sample")
    stored = _by_fingerprint(store)
    return {f"{sample.key}/{name}": _put(store, sample, name, stored) for name in sample.names()}


def _put(store: Store, sample: Source, name: str, stored: dict[tuple[str, str], str]) -> str:
    version = stored.get((f"{sample.key}/{name}", sample.fingerprint(name)))
    if version is not None:
        try:
            store.load(version)
        except StoreError:
            version = None
    if version is None:
        fetched = sample.fetch(name)
        version = store.put(fetched.bars, fetched.meta)
    return version


def _by_fingerprint(store: Store) -> dict[tuple[str, str], str]:
    """Version by id and fingerprint; a damaged one is not among them and is put again."""
    return {(entry.id, entry.source_sha256): entry.version for entry in Catalog(store.root).entries()}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m marketdata.setup_samples", description=__doc__)
    parser.add_argument("root", type=Path, help="folder of the store")
    for id, version in put_samples(Store(parser.parse_args(argv).root)).items():
        sys.stdout.write(f"{id} {version}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
