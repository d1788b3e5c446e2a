"""Everything that a user can mend is a `DefectKerasError`.

The command line shows these as one line without a traceback, so each message
says what must hold, what came, and what to do::

    DefectKerasError
    ├── CalibrationError   a pixel size or a foil thickness is missing or wrong
    ├── MicrographError    a micrograph or an annotation cannot be read
    ├── DatasetError       a data spec or its files do not fit together
    ├── ModelError         an architecture or a model does not fit its input
    ├── TrainingError      a run cannot start, go on or end well
    │   └── StoppedError   somebody wished to stop it
    ├── RegistryError      a model version is missing, damaged or not writable
    └── ServingError       a model server cannot be reached, or refuses
"""


class DefectKerasError(Exception):
    """Something that a user can mend; shown as one line."""


class CalibrationError(DefectKerasError):
    """A pixel size or a foil thickness is missing or wrong."""


class MicrographError(DefectKerasError):
    """A micrograph or an annotation cannot be read."""


class DatasetError(DefectKerasError):
    """A data spec or its files do not fit together."""


class ModelError(DefectKerasError):
    """An architecture or a model does not fit its input."""


class TrainingError(DefectKerasError):
    """A run cannot start, go on or end well."""


class StoppedError(TrainingError):
    """Somebody wished to stop a run (Ctrl-C, SIGTERM); what it has saved is kept."""


class RegistryError(DefectKerasError):
    """A model version is missing, damaged or not writable."""


class ServingError(DefectKerasError):
    """A model server cannot be reached, or refuses."""
