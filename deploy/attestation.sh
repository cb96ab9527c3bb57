#!/usr/bin/env bash
# Prepares what actions/attest signs: the predicate of the verdict's in-toto statement, and the digests of its subjects.
#
#   deploy/attestation.sh     writes REPORTS/predicate.json and REPORTS/subjects.txt
#
# Subjects are the verdict, its evidence and, where the release is named by an image's digest, that image: then whoever
# runs it can demand the attestation. A verdict that is not sealed fails, and nothing is written.
#
# Environment: REPORTS   where the reports are   (reports)
set -euo pipefail

exec python - "${REPORTS:-reports}" <<'PYTHON'
import hashlib
import json
import sys
from pathlib import Path

from postdeploy.domain.attestation import statement

reports = Path(sys.argv[1])
content = (reports / "verdict.json").read_bytes()
document = json.loads(content)
if document["state"] != "sealed":
    sys.exit("attestation.sh: the verdict is not sealed")
stated = statement(document, hashlib.sha256(content).hexdigest())
subjects = [(subject["digest"].get("sha256"), subject["name"]) for subject in stated["subject"]]
(reports / "predicate.json").write_text(json.dumps(stated["predicate"], indent=1) + "\n", encoding="utf-8")
lines = (f"{digest}  {name}\n" for digest, name in subjects if digest)
(reports / "subjects.txt").write_text("".join(lines), encoding="utf-8")
PYTHON
