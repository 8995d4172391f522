"""Great Expectations' Data Docs of a version's checks: pages to read in a browser.

Source: Great Expectations 1.x (file context, validation definition, checkpoint, Data Docs).
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.gates._bounds import BETWEEN, SEVERITIES
from tasks.gates._suite import library

_SEVERITY = {block: name for name, block in reversed(SEVERITIES.items())}
_PAGES = ("gx", "uncommitted", "data_docs", "local_site")


def data_docs(name: str, checks: Sequence[Mapping[str, Any]], folder: Path) -> Path:
    """Returns the first page of the Data Docs of these checks, written into a folder that must not exist or be empty.

    What was observed and allowed is held against each other again, so the pages are the library's own.

    Args:
        name: of the version. checks: as ``checked`` gives them, with the gate's name.
    """
    import pandas as pd

    gx = library()
    with tempfile.TemporaryDirectory(prefix="pairwright-docs-") as scratch:
        context = gx.get_context(mode="file", project_root_dir=scratch)
        context.variables.progress_bars = gx.data_context.types.base.ProgressBarsConfig(globally=False)
        asset = context.data_sources.add_pandas("gates").add_dataframe_asset(re.sub(r"\W+", "_", name))
        batch = asset.add_batch_definition_whole_dataframe("numbers")
        definitions = []
        for gate in dict.fromkeys(str(check["gate"]) for check in checks):
            written = [_expectation(check) for check in checks if check["gate"] == gate]
            suite = context.suites.add(gx.ExpectationSuite(name=gate, expectations=written))
            definitions.append(
                context.validation_definitions.add(gx.ValidationDefinition(name=gate, data=batch, suite=suite))
            )
        numbers = pd.DataFrame([{str(check["name"]): check["observed"] for check in checks}])
        for definition in definitions:
            gx.Checkpoint(name=definition.name, validation_definitions=[definition]).run({"dataframe": numbers})
        context.build_data_docs()
        shutil.copytree(Path(scratch).joinpath(*_PAGES), folder, dirs_exist_ok=True)
    return folder / "index.html"


def _expectation(check: Mapping[str, Any]) -> dict[str, Any]:
    ends = {{">=": "min_value", "<=": "max_value"}[sign]: float(end)
            for sign, end in re.findall(r"([<>]=) (\S+)", str(check["allowed"]))}  # fmt: skip
    return {
        "type": BETWEEN, "kwargs": {"column": check["name"], **ends}, "severity": _SEVERITY[str(check["severity"])],
        "description": check["says"],
    }  # fmt: skip
