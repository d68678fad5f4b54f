"""Every way Assay refuses, as a tree.

A message says what was found, what was expected, and what to do next, in one line and without a
value from a record.

AssayError
├── RecipeError                 the recipe itself is wrong
├── DataError                   the data cannot carry the claim the next step would make of it
│   ├── SourceError             a source cannot be read as the recipe says
│   ├── ExpectationError        a suite is wrong, or stopped the run
│   ├── RedactionError          a row could not be examined
│   ├── ContaminationError      too much of the training set quotes an evaluation set
│   └── SplitError              a side of the split is empty
├── ModelError
│   ├── BaseModelError          the base model is absent, altered, or of a kind that is not loaded
│   ├── RecogniserError         a detector of personal data is absent, altered, or of a kind that is not loaded
│   └── TrainingError           training diverged, or stopped before its last step
│       ├── TrainingCrashError  the process died: worth another try
│       └── OutOfMemoryError    a device or the machine has too little memory for so many examples at once
├── GateError
│   └── IncomparableError       two evaluations do not answer the same question
├── RegistryError
│   └── PromotionRefusedError   no accepted verdict, or the bytes changed
├── ArtifactError
│   ├── ArtifactMissingError    never written, or erased
│   ├── ArtifactCorruptError    the bytes no longer hash to their digest
│   ├── StoreError              the store cannot be written: no permission, no space
│   └── UnstableKeyError        a value has no canonical bytes
└── UnexpectedError             a fault of ours or of a library: its own message is withheld
"""


class AssayError(Exception):
    """Base class: catch this to catch every deliberate refusal."""


class RecipeError(AssayError):
    """A recipe is absent, cannot be parsed, or holds a key or value that it must not."""


class DataError(AssayError):
    """The data cannot carry the claim the next step would make of it."""


class SourceError(DataError):
    """A source is absent, malformed, empty, or lacks a column."""


class ExpectationError(DataError):
    """A suite is malformed, could not be run, or found what must stop a run."""


class RedactionError(DataError):
    """A text could not be examined, so it must not pass."""


class ContaminationError(DataError):
    """Too much of the training set quotes an evaluation set."""


class SplitError(DataError):
    """A side of the split holds no record."""


class ModelError(AssayError):
    """A model cannot be had, or cannot be trained."""


class BaseModelError(ModelError):
    """The base model is absent, altered, or of a kind that is not loaded."""


class RecogniserError(ModelError):
    """A detector of personal data is absent, altered, or of a kind that is not loaded."""


class TrainingError(ModelError):
    """Training diverged, or was stopped before its last step."""


class TrainingCrashError(TrainingError):
    """The process died under training or evaluation. A training of a run goes on from its last checkpoint."""


class OutOfMemoryError(TrainingError):
    """A device or the machine has too little memory for so many examples at once. Fewer may fit."""


class GateError(AssayError):
    """The gate cannot decide."""


class IncomparableError(GateError):
    """Two evaluations differ in what they asked, or are one and the same."""


class RegistryError(AssayError):
    """The registry does not hold what was asked for."""


class PromotionRefusedError(RegistryError):
    """A version has no accepted verdict, or is not the bytes that were judged."""


class UnexpectedError(AssayError):
    """A fault of ours or of a library. Its message may quote a record, so only its kind and place are told."""


class ArtifactError(AssayError):
    """An artefact is absent, altered, or cannot be named."""


class ArtifactMissingError(ArtifactError):
    """The store holds nothing under that digest: never written, or erased."""


class ArtifactCorruptError(ArtifactError):
    """The bytes in the store no longer hash to their digest."""


class StoreError(ArtifactError):
    """The store cannot be written."""


class UnstableKeyError(ArtifactError):
    """A value has no canonical bytes, so it cannot enter a cache key."""
