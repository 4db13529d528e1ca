"""From a folder of YAML files to validated settings, or to every fault in them.

Precedence: command line > environment > file > the strategy's defaults > defaults.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from regatta.domain.errors import BadInput, EnvironmentFault
from regatta.settings.catalogue import BuiltIn, Catalogue
from regatta.settings.environment import BadVariable, overrides, put
from regatta.settings.faults import BadSettings, Fault, Loc, dotted, explain
from regatta.settings.platform import Settings
from regatta.settings.yaml_file import Document, read_yaml

PLATFORM_FILE = "regatta.yaml"
BOTS_FOLDER = "bots"


def load_settings(
    folder: Path,
    *,
    environ: Mapping[str, str],
    options: Mapping[str, Any] | None = None,
    catalogue: Catalogue | None = None,
) -> Settings:
    """Read `regatta.yaml` and `bots/*.yaml` of a folder.

    options: what the command line says, by dotted name ("server.port"). Raises BadSettings with
    every fault of all files at once; EnvironmentFault when a file can't be read.
    """
    sources = _Sources(folder)
    sources.read()
    sources.override(environ, options or {})
    return sources.validated(catalogue or BuiltIn())


class _Sources:
    """Where each setting comes from: the files, and what overrides them."""

    def __init__(self, folder: Path) -> None:
        self.faults: list[Fault] = []
        self.bots: list[Document] = []
        self._folder = folder
        self._platform: Document | None = None
        self._over: dict[Loc, str] = {}
        self._data: dict[str, Any] = {}

    # --- reading -------------------------------------------------------------------------

    def read(self) -> None:
        folder = self._folder
        if not folder.is_dir():
            raise BadInput(
                f"{folder}: there is no such folder; needed: {PLATFORM_FILE} and {BOTS_FOLDER}/<name>.yaml in it"
            )
        platform = folder / PLATFORM_FILE
        if platform.exists():
            self._platform = self._document(platform)
            if "bots" in self._platform.data:
                where = self._platform.where(("bots",))
                self.faults.append(Fault(where, "bots", f"each bot has a file of its own: {BOTS_FOLDER}/<name>.yaml"))
        self._data = {**self._platform.data} if self._platform else {}
        self._refuse_other_endings(folder)
        for path in sorted((folder / BOTS_FOLDER).glob("*.yaml")):
            self._bot(path)
        self._data["bots"] = [document.data for document in self.bots]
        if not self.bots:
            self.faults.append(Fault(str(folder / BOTS_FOLDER), "", "no bot is set up; write one <name>.yaml per bot"))

    def _bot(self, path: Path) -> None:
        document = self._document(path)
        self.bots.append(document)
        name = document.data.setdefault("name", path.stem)
        if name != path.stem:
            where = document.where(("name",))
            self.faults.append(Fault(where, "name", f"'{name}' differs from the file's name; allowed: {path.stem}"))
            document.data["name"] = path.stem

    def _document(self, path: Path) -> Document:
        document = read_yaml(path)
        self.faults.extend(document.faults)
        return document

    def _refuse_other_endings(self, folder: Path) -> None:
        try:
            files = sorted([*folder.iterdir(), *(folder / BOTS_FOLDER).glob("*")])
        except OSError as fault:
            raise EnvironmentFault(f"cannot read {folder}: {fault.strerror or fault}") from fault
        for path in files:
            if path.suffix.lower() in (".yml", ".yaml") and path.is_file():
                wanted = path.parent.name == BOTS_FOLDER or path.name == PLATFORM_FILE
                if path.suffix != ".yaml":
                    self.faults.append(Fault(str(path), "", f"would not be read; rename it to {path.stem}.yaml"))
                elif not wanted:
                    self.faults.append(
                        Fault(str(path), "", f"would not be read; allowed: {PLATFORM_FILE}, {BOTS_FOLDER}/<name>.yaml")
                    )

    # --- what overrides the files --------------------------------------------------------

    def override(self, environ: Mapping[str, str], options: Mapping[str, Any]) -> None:
        names = {str(document.data["name"]): place for place, document in enumerate(self.bots)}
        try:
            over = overrides(environ, names)
        except BadVariable as bad:
            self.faults.append(bad.fault)
            return
        for name, value in options.items():
            option = f"--{name.rsplit('.', 1)[-1].replace('_', '-')}"
            over[tuple(name.split("."))] = (option, value)
        for loc, (source, value) in over.items():
            if put(self._data, loc, value):
                self._over[loc] = source
            else:
                self.faults.append(Fault(source, dotted(loc), "there is no such section"))

    # --- validating ----------------------------------------------------------------------

    def validated(self, catalogue: Catalogue) -> Settings:
        settings: Settings | None = None
        try:
            settings = Settings.model_validate(self._data, context={"catalogue": catalogue})
        except ValidationError as fault:
            errors = [error for error in fault.errors(include_url=False) if not self._is_broken(error["loc"])]
            self.faults.extend(explain(Settings, errors, self._where))
        for place, bot in enumerate(settings.bots if settings else ()):
            if bot.mode == "backtest":
                where = self._where(("bots", place, "mode"))
                self.faults.append(
                    Fault(where, "mode", "'backtest' is run by `regatta backtest`; allowed here: virtual")
                )
        if self.faults or settings is None:
            raise BadSettings(sorted(map(_without_place_of_bot, self.faults), key=_by_place))
        return settings

    def _is_broken(self, loc: Loc) -> bool:
        """Tell whether the location is in a file that has no values to complain about."""
        return loc[:1] == ("bots",) and len(loc) > 1 and isinstance(loc[1], int) and self.bots[loc[1]].broken

    def _where(self, loc: Loc) -> str:
        for end in range(len(loc), 0, -1):
            if loc[:end] in self._over:
                return self._over[loc[:end]]
        if loc[:1] == ("bots",) and len(loc) > 1 and isinstance(loc[1], int):
            return self.bots[loc[1]].where(loc[2:])
        beneath = [source for over, source in self._over.items() if over[: len(loc)] == loc]
        if self._platform and (self._platform.has(loc) or not beneath):
            return self._platform.where(loc)
        return beneath[0] if beneath else str(self._folder / PLATFORM_FILE)


def _without_place_of_bot(fault: Fault) -> Fault:
    """Drop "bots[2]." where the file already says which bot."""
    return Fault(fault.where, re.sub(r"^bots\[\d+\]\.?", "", fault.field), fault.problem)


def _by_place(fault: Fault) -> tuple[str, int]:
    file, _, line = fault.where.rpartition(":")
    return (file, int(line)) if line.isdecimal() else (fault.where, 0)
