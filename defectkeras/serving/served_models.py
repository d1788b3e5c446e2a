"""All versions that are served, kept in step with the registry.

A version is loaded, its files and its golden checked, before anybody is answered by
it; a label moves only when its new version is there, and a version goes only when no
label means it any more. Requests keep the version that they found until they end.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from defectkeras.core.errors import RegistryError
from defectkeras.registry.server_config import served_versions
from defectkeras.registry.store import ModelRegistry
from defectkeras.registry.version import ModelVersion
from defectkeras.serving.servable import Servable, load_servable
from defectkeras.serving.status import Code, StatusError

LOG = logging.getLogger(__name__)
RETRY_S = 60.0
"""A version that could not be loaded is tried again after so long."""


@dataclass(frozen=True)
class VersionState:
    """How far a version has come.

    Attributes:
        state: "LOADING", "AVAILABLE" or "END".
        servable: The version in memory, when it is available.
        error: Why it could not be loaded, or "".
        since: Monotonic time of the state.
    """

    state: str
    servable: Servable | None = None
    error: str = ""
    since: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class ServedModel:
    """The versions and the labels of a model at one moment."""

    versions: Mapping[int, VersionState] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)

    def available(self) -> dict[int, Servable]:
        """Give the versions that can answer, rising."""
        found = {n: s.servable for n, s in sorted(self.versions.items())}
        return {n: servable for n, servable in found.items() if servable is not None}


class ServedModels:
    """The models of a registry, in memory.

    Args:
        registry: Where they come from; it is looked at again and again.
        poll_s: Seconds between two looks.
        load: Gives a version in memory; raises RegistryError.
    """

    def __init__(
        self,
        registry: ModelRegistry,
        *,
        poll_s: float = 1.0,
        load: Callable[[ModelVersion], Servable] = load_servable,
    ) -> None:
        self.registry = registry
        self._poll_s = poll_s
        self._load = load
        self._models: dict[str, ServedModel] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Load what there is, then keep in step until `stop`."""
        self.refresh()
        self._thread.start()

    def stop(self) -> None:
        """Look at the registry no more."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def models(self) -> dict[str, ServedModel]:
        """Give all models as they are at this moment."""
        return dict(self._models)

    def find(
        self, name: str, *, version: int | None = None, label: str | None = None
    ) -> Servable:
        """Find the version that a request means; without a number the newest.

        Raises:
            StatusError: When there is none that can answer.
        """
        if not name:
            raise StatusError(Code.INVALID_ARGUMENT, "ModelSpec has no name specified.")
        model = self._models.get(name, ServedModel())
        request = f"Latest({name})"
        if label is not None:
            if label not in model.labels:
                raise StatusError(
                    Code.INVALID_ARGUMENT,
                    f"Unrecognized servable version label: {label}",
                )
            version = model.labels[label]
        available = model.available()
        if version is None and available:
            version = max(available)
        elif version is not None:
            request = f"Specific({name}, {version})"
        if version not in available:
            raise StatusError(
                Code.NOT_FOUND, f"Servable not found for request: {request}"
            )
        return available[version]

    def states(self, name: str, version: int | None = None) -> dict[int, VersionState]:
        """Give how far the versions of a model have come, or one of them.

        Raises:
            StatusError: When nothing is known of them.
        """
        known = dict(self._models.get(name, ServedModel()).versions)
        if version is not None and version not in known:
            raise StatusError(
                Code.NOT_FOUND, f"Could not find version {version} of model {name}"
            )
        if not known:
            raise StatusError(
                Code.NOT_FOUND, f"Could not find any versions of model {name}"
            )
        return known if version is None else {version: known[version]}

    def refresh(self) -> None:
        """Bring all models in step with the registry; errors are logged."""
        for name in sorted({*self.registry.names(), *self._models}):
            try:
                self._refresh_model(name)
            except (RegistryError, OSError) as error:
                LOG.error("%s stays as it is: %s", name, error)

    def _watch(self) -> None:
        while not self._stopped.wait(self._poll_s):
            with contextlib.suppress(OSError):  # the folder may come back
                self.refresh()

    def _refresh_model(self, name: str) -> None:
        folder = self.registry.root / name
        wanted = served_versions(folder) if folder.is_dir() else ()
        for number in wanted:
            if self._stopped.is_set():
                return
            if self._is_due(name, number):
                self._load_version(name, number)
        model = self._models.get(name, ServedModel())
        available = model.available()
        aliases = self.registry.aliases(name) if wanted else {}
        labels = {}
        for alias, number in aliases.items():
            before = model.labels.get(alias)
            now = number if number in available else before
            if now is not None:
                labels[alias] = now
            if now != before:
                LOG.info("%s@%s is version %s", name, alias, now)
        kept = {*wanted, *labels.values(), *list(available)[-1:]}
        if not wanted:  # the model is gone
            kept.clear()
        versions = {
            number: state if number in kept else self._let_go(name, number, state)
            for number, state in model.versions.items()
        }
        self._models[name] = ServedModel(versions, labels)

    def _is_due(self, name: str, number: int) -> bool:
        """Tell whether a version is new, or failed, or left, and may be loaded."""
        state = self._models.get(name, ServedModel()).versions.get(number)
        if state is None or (state.state == "END" and not state.error):
            return True
        return bool(state.error) and time.monotonic() - state.since > RETRY_S

    def _load_version(self, name: str, number: int) -> None:
        self._set_state(name, number, VersionState("LOADING"))
        try:
            version = self.registry.resolve(f"{name}@{number}")
            state = VersionState("AVAILABLE", self._load(version))
            LOG.info("%s@%d is available", name, number)
        except (RegistryError, OSError) as error:
            state = VersionState("END", error=str(error))
            LOG.error("%s@%d is not served: %s", name, number, error)
        self._set_state(name, number, state)

    def _set_state(self, name: str, number: int, state: VersionState) -> None:
        model = self._models.get(name, ServedModel())
        versions = {**model.versions, number: state}
        self._models[name] = ServedModel(versions, model.labels)

    def _let_go(self, name: str, number: int, state: VersionState) -> VersionState:
        if state.servable is None:
            return state
        LOG.info("%s@%d is not served any more", name, number)
        return VersionState("END")
