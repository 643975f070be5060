"""`python -m rl.export_onnx POLICY OUT`: a policy file as an ONNX graph (rl.onnx_export) for programs without torch.

POLICY is read as a file from outside is (rl.import_policy), so that a zip of stock SB3 will do too. Exit code 2 and one
line `CODE: sentence` for a file that is refused.
"""

import argparse
import sys
from pathlib import Path

from rl.import_policy import REFUSED, read_file, refusal
from rl.onnx_export import input_names, to_onnx
from rl.policy_format import container, own
from rl.policy_format.build import build_policy
from rl.policy_format.fault import PolicyFileFault
from rl.policy_import.importer import import_policy
from runfiles import atomic


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m rl.export_onnx", description="Write a policy as an ONNX graph.")
    parser.add_argument("policy", type=Path, help="a policy file, or a zip of stock PPO.save")
    parser.add_argument("out", type=Path, help="the ONNX file to write")
    asked = parser.parse_args(argv)
    try:
        document = own.read(container.read(import_policy(read_file(asked.policy)).content, own.KEPT))
    except PolicyFileFault as fault:
        sys.stderr.write(refusal(fault))
        return REFUSED
    policy = build_policy(document.spec, document.weights)
    atomic.write_bytes(asked.out, to_onnx(policy))
    sys.stdout.write(f"{document.spec.policy}: {', '.join(input_names(policy.observation_space))} to action\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
