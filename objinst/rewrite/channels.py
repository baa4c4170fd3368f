"""Offsets in package runtime that hooks/rt needs for channels, and the bytes of a channel that are free for a mark.

The compiler aligns the fields of runtime.hchan, so the bytes between two of them are unused: nothing reads or writes them after the
channel was allocated, as zeros (runtime/chan.go, type hchan and makechan; runtime/select.go, type scase; Go 1.22-1.27). In all of these
versions they follow elemsize: two bytes, one in Go 1.24.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from objinst.errors import ObjectError
from objinst.goobj import Object
from objinst.rewrite.static import layout, sizes

REMEDY = "this Go version's runtime.hchan is not known to otelobj; please report it with `go version`"
LARGEST_MARK = 2


def channel_offsets(obj: Object) -> Mapping[str, int]:
    """Offsets by the names that hooks/rt uses (rt.linkInfo), in bytes. obj: package runtime. Raises ObjectError if its types are not as expected."""
    chan, case = layout(obj, "runtime.hchan"), layout(obj, "runtime.scase")
    fields = chan.fields
    if not {"elemsize", "qcount", "dataqsiz", "recvq"} <= fields.keys() or not {"c", "elem"} <= case.fields.keys():
        raise ObjectError(f"{obj.origin}: runtime.hchan has the fields {', '.join(fields)}, runtime.scase {', '.join(case.fields)}", REMEDY)
    ends = sorted((offset, offset + size) for offset, size in sizes(obj, chan))
    gaps = [(end, start - end) for (_, end), (start, _) in pairwise(ends) if start > end]
    if not gaps:
        raise ObjectError(f"{obj.origin}: runtime.hchan has no byte that belongs to no field", REMEDY)
    at, free = gaps[0]
    size = LARGEST_MARK if free >= LARGEST_MARK and at % LARGEST_MARK == 0 else 1
    return {
        "MarkOff": at,
        "MarkSize": size,
        "ElemsizeOff": fields["elemsize"],
        "TimerOff": fields.get("timer", 0),
        "QcountOff": fields["qcount"],
        "DataqsizOff": fields["dataqsiz"],
        "RecvqOff": fields["recvq"],
        "CaseSize": case.size,
        "CaseChanOff": case.fields["c"],
        "CaseElemOff": case.fields["elem"],
    }
