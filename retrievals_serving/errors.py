"""Every error this project raises on purpose, drawn as one tree.

    RetrievalsError
    ├── SettingsError            a setting is missing, malformed or unsafe
    ├── SourceError              the museum's records or pictures cannot be used as they are
    │   └── SourceUnavailable    it cannot be reached, or wishes not to be asked, for now
    ├── BuildError               a stage of a build failed; what was complete before it is kept
    │   ├── ShardError           the files of one shard cannot be used; other shards are unharmed
    │   └── ShardsFailed         some shards of a run failed; all its others are finished
    ├── ModelError               a checkpoint cannot be loaded, or is of a family not supported
    │   └── InputRefused         an input of a kind that its family does not take
    ├── PictureError             one picture cannot be read; its neighbours are unharmed
    │   └── RejectedPicture      a download that is no whole picture
    ├── ReleaseError             a release cannot be built, opened or promoted
    │   ├── ReleaseNotFound      there is none, or none of that name
    │   ├── ReleaseDamaged       its files are not those its manifest names
    │   └── PromotionRefused     a check of it failed or has not been run, or others are at it
    │       └── PromotionHeld    someone rolled back: what builds make waits
    ├── ServerBusy               as many searches are under way as may
    ├── SearchCancelled          whoever asked has left; nobody is answered
    └── QueryError               a question that cannot be answered as asked
        ├── UnknownArtwork       no such id in the release
        └── CursorRefused        a cursor that is forged, or bound to another search
            └── CursorExpired    a cursor of a release that is not served any more

A message names the thing, the value and the remedy, so that the last line of a log is enough.
"""


class RetrievalsError(Exception):
    """Root of the tree: catch it at a boundary (CLI, HTTP, a Dagster step), nowhere deeper."""


class SettingsError(RetrievalsError):
    """A setting is missing, malformed or unsafe."""


class SourceError(RetrievalsError):
    """The museum's records or pictures cannot be used as they are."""


class SourceUnavailable(SourceError):
    """The museum cannot be reached, or wishes not to be asked, for now: later it may.

    `wish` is for how many seconds it wishes to be left alone.
    """

    def __init__(self, reason: str, *, wish: float = 0.0) -> None:
        super().__init__(reason)
        self.wish = wish


class BuildError(RetrievalsError):
    """A stage of a build failed; what was complete before it is kept."""


class ShardError(BuildError):
    """The files of one shard cannot be used; other shards are unharmed."""


class ShardsFailed(BuildError):
    """Some shards of a run failed; all its others are finished."""


class ModelError(RetrievalsError):
    """A checkpoint cannot be loaded, or is of a family that is not supported."""


class InputRefused(ModelError):
    """An input is of a kind that the model's family does not take; the model is well."""


class PictureError(RetrievalsError):
    """One picture cannot be read."""


class RejectedPicture(PictureError):
    """A download is no whole picture; `status` is the ledger's word for why."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class ReleaseError(RetrievalsError):
    """A release cannot be built, opened or promoted."""


class ReleaseNotFound(ReleaseError):
    """There is no release, or none of that name."""


class ReleaseDamaged(ReleaseError):
    """The files of a release are not those its manifest names."""


class PromotionRefused(ReleaseError):
    """A check of the release failed or has not been run, or another process is at it."""


class PromotionHeld(PromotionRefused):
    """Someone rolled back: what builds make waits until a release is promoted by hand."""


class ServerBusy(RetrievalsError):
    """As many searches are under way as may; `seconds` is when to ask again."""

    def __init__(self, reason: str, *, seconds: int) -> None:
        super().__init__(reason)
        self.seconds = seconds


class SearchCancelled(RetrievalsError):
    """Whoever asked has left: what was begun for them ends, and nobody is answered."""


class QueryError(RetrievalsError):
    """A question that cannot be answered as asked."""


class UnknownArtwork(QueryError):
    """No work of that id is in the release."""


class CursorRefused(QueryError):
    """A cursor is forged, or bound to another search."""


class CursorExpired(CursorRefused):
    """A cursor belongs to a release that is not served any more."""
