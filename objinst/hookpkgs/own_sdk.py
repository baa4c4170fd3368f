"""The OpenTelemetry SDK that a program links itself: what OTELOBJ_SDK=program relies on, and where it is worth a suggestion.

Only the link's archives are asked, as for the API (objinst.hookpkgs.apilevel). A program with nothing but providers of somebody else's making counts as one without an SDK.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from objinst.errors import OtelobjError
from objinst.hookpkgs.apilevel import API, LOGS, Level
from objinst.rules import PRIVATE

PACKAGES = (f"{API}/sdk/trace", f"{API}/sdk/metric", f"{API}/sdk/log")
KEEP = "leave OTELOBJ_SDK unset: then otelobj brings an SDK of its own"
SAVES = "about 10 MB"
"""What a program saves without the private SDK and its exporters: docs/contributing/private-sdk.md has the measurements."""


def linked(link: Collection[str]) -> list[str]:
    """Which of the SDK's packages a link has. link: import paths."""
    return [package for package in PACKAGES if package in link]


def check(program: str, link: Collection[str]) -> None:
    """program: the import path, as far as it is known. Raises OtelobjError for a program without an SDK."""
    if not linked(link):
        raise OtelobjError(
            f"OTELOBJ_SDK=program: {program or 'this program'} links no OpenTelemetry SDK: none of {', '.join(PACKAGES)}",
            f"have it set up a provider of {API}/sdk, or {KEEP}",
        )


def check_bridged(level: Level, link: Mapping[str, object]) -> str | None:
    """What there is to say of a program that is to have no SDK but its own. Raises OtelobjError if nothing can reach that, because its API is too old."""
    if level.too_old is not None:
        raise OtelobjError(
            f"OTELOBJ_SDK=program: the program's OpenTelemetry API has no {level.too_old}: it is older than 1.0.1, the lowest release that is bridged",
            f"go get {API}@latest, or {KEEP}",
        )
    lost = []
    if PACKAGES[1] in link and "meters" not in level.parts:
        lost.append(f"metrics of instrumentations go nowhere: the program's {API}/metric is older than 1.16, the lowest release that is bridged")
    if PACKAGES[2] in link and LOGS not in level.parts:
        lost.append(f"log records of instrumentations go nowhere: the program's {API}/log is older than 0.7, the lowest release that is bridged")
    return "; ".join([*lost, "there is no SDK of otelobj's"]) if lost else None


def suggestion(link: Collection[str], hooks: Collection[str], chosen: str) -> str | None:
    """A line for a program that links two SDKs. link: import paths of its packages; hooks: of what otelobj adds; chosen: what OTELOBJ_SDK says."""
    if chosen or not linked(link) or PRIVATE + PACKAGES[0] not in hooks:
        return None
    return (
        f"this program links an OpenTelemetry SDK of its own beside otelobj's: if it sets its providers itself, OTELOBJ_SDK=program leaves otelobj's out, and saves {SAVES}; "
        "OTELOBJ_SDK=private keeps it, without this line"
    )
