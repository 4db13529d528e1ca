"""What settings may name on this machine: built-in strategies, users' files, known instruments."""

from pathlib import Path

from regatta.domain.errors import BadInput
from regatta.settings.catalogue import Named, did_you_mean

STRATEGIES_FOLDER = "strategies"


class Installed:
    """Built-in strategies, files of `<config>/strategies`, and the venues' tables of instruments."""

    def __init__(self, config_dir: Path) -> None:
        self._config_dir = config_dir
        self._files: dict[Path, Named] = {}

    def strategy(self, name: str) -> Named:
        """Return a built-in strategy, one of the strategies folder by name, or the one of a .py file."""
        from regatta.strategies import builtin

        known = builtin()
        if name in known:
            return Named(name, known[name])
        if name.endswith(".py") or "/" in name:
            return self._file(self._located(name))
        own = {each.strategy.name: each for each in map(self._file, self._folder_files())}
        if name in own:
            return own[name]
        allowed = [*known, *own]
        raise BadInput(
            f"there is no strategy {name!r}{did_you_mean(name, allowed)}; known: {', '.join(allowed)}, "
            f"or a file such as {STRATEGIES_FOLDER}/mine.py"
        )

    def symbol(self, venue: str, name: str) -> str:
        """Return the unified symbol of what `name` means on the venue."""
        from regatta.market.instruments import resolve

        return resolve(venue, name).symbol

    def _folder_files(self) -> list[Path]:
        return sorted((self._config_dir / STRATEGIES_FOLDER).glob("[!_]*.py"))

    def _located(self, name: str) -> Path:
        for folder in (self._config_dir, self._config_dir / STRATEGIES_FOLDER, Path.cwd()):
            if (folder / name).is_file():
                return folder / name
        raise BadInput(f"there is no strategy file {name!r} in {self._config_dir} or {Path.cwd()}")

    def _file(self, path: Path) -> Named:
        """Load a file once: it may do all that Python may."""
        from regatta.engine.strategy_files import load

        path = path.absolute()
        if path not in self._files:
            self._files[path] = Named(str(path), load(path))
        return self._files[path]
