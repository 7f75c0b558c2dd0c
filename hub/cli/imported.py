"""What an import into catalogue or plan has done, in words."""

from __future__ import annotations

from hub.cli.words import tell
from hub.store.catalogue import Imported
from hub.store.resolution import Reresolved


def tell_import(done: Imported, *, preview: bool) -> None:
    """What a file did, or would do."""
    for one in done.recorded if preview else ():
        tell(f"{one.code}: phiên bản {one.version}{'' if one.fields else ', mới / new'}")
        for name, (old, new) in one.fields.items():
            tell(f"{one.code}: {name}: {old or '(trống)'} -> {new or '(trống)'}")
    if preview:
        tell("xem trước, chưa ghi gì / a preview, nothing was written")
    tell(f"{done.added} added, {done.changed} changed, {done.unchanged} unchanged")
    if done.resolved.contents:
        tell_resolved(done.resolved)


def tell_resolved(done: Reresolved) -> None:
    """What a change made of the past."""
    tell(f"{done.contents} shown contents have another verdict, {done.days} recorded days are to be restated")
