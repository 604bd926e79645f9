"""The JSON Schema of a study, for editors and for readers; made from the typed config, never by hand."""

import json
import sys
from pathlib import Path
from typing import Any

from brainalign.config.encoder_presets import PRESETS
from brainalign.config.study import Study

SCHEMA = Path(__file__).with_name("study.schema.json")


def schema_text() -> str:
    """Return the schema as it stands in study.schema.json."""
    schema = Study.model_json_schema()
    _complete_by_presets(schema["$defs"])
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _complete_by_presets(definitions: dict[str, Any]) -> None:
    """Say that an encoder with a preset lacks nothing, and that its split may be some keys of the preset's kind."""
    encoder = definitions["Encoder"]
    split = encoder["properties"]["split"]
    whole = {"required": encoder.pop("required"), "properties": {"split": split}}
    kinds = {preset["split"]["kind"] for preset in PRESETS.values()}
    changes = []
    for form in split["oneOf"]:
        definition = definitions[form["$ref"].rpartition("/")[2]]
        if definition["properties"]["kind"]["const"] in kinds:
            changes.append({key: value for key, value in definition.items() if key != "required"})
    encoder["properties"]["split"] = {"anyOf": [split, *changes]}
    encoder["if"] = {"required": ["preset"], "properties": {"preset": {"type": "string"}}}
    encoder["else"] = whole


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")
    sys.stdout.write(f"wrote {SCHEMA.name}\n")
