"""The JSON Schema of a study, for editors and for readers; made from the typed config, never by hand."""

import json
import sys
from pathlib import Path

from brainalign.config.study import Study

SCHEMA = Path(__file__).with_name("study.schema.json")


def schema_text() -> str:
    """Return the schema as it stands in study.schema.json."""
    return json.dumps(Study.model_json_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")
    sys.stdout.write(f"wrote {SCHEMA.name}\n")
