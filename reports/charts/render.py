"""From a Vega-Lite spec to an SVG that can stand in a page: small, deterministic, accessible, dark-mode aware.

The renderer leaves four things to mend. Its clip ids count up per process; every mark carries ARIA labels that a
screen reader would read one by one, while the root has neither role nor name; numbers have fifteen digits; and colours
are fixed. One picture, one name, one description: the numbers stand in a table beside it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree as ET

import vl_convert

from audit import wording
from reports.charts.theme import as_variables

_SVG = "{http://www.w3.org/2000/svg}"
_NUMBER = re.compile(r"-?\d+\.\d{2,}(?:e-?\d+)?")
_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DROPPED = ("aria-", "role", "class", "pointer-events", "font-family", "version")
_INHERITED = ("fill", "stroke", "stroke-width", "stroke-dasharray", "font-size", "font-weight", "text-anchor")
_DEFAULTS = {("opacity", "1"), ("stroke-width", "1"), ("fill-opacity", "1"), ("transform", "translate(0,0)")}


def svg(spec: Mapping[str, Any], title: str, description: str) -> str:
    """The chart as one ``<svg>`` element with ``role="img"``, a title and a description. Same spec, same bytes."""
    canonical = json.dumps(_inert(spec), sort_keys=True, ensure_ascii=True, allow_nan=False)
    return _render(canonical, wording.text(title), wording.text(description))


@lru_cache(maxsize=256)
def _render(canonical: str, title: str, description: str) -> str:
    # allowed_base_urls is empty: whatever a spec says, nothing is fetched.
    drawn = vl_convert.vegalite_to_svg(json.loads(canonical), allowed_base_urls=[])
    prefix = "c" + hashlib.sha256(f"{canonical}\0{title}".encode()).hexdigest()[:10]
    root = ET.fromstring(drawn)
    _rename_ids(root, prefix)
    for element in root.iter():
        _tidy(element)
    _prune(root)
    _name_root(root, prefix, title, description)
    return _colours(ET.tostring(root, encoding="unicode", short_empty_elements=True))


def _inert(part: Any) -> Any:
    """The spec with every character replaced that XML cannot hold: a lone surrogate would abort the renderer."""
    if isinstance(part, str):
        return _UNFIT.sub("\ufffd", part)
    if isinstance(part, Mapping):
        return {key: _inert(value) for key, value in part.items()}
    return [_inert(value) for value in part] if isinstance(part, list | tuple) else part


def _rename_ids(root: ET.Element, prefix: str) -> None:
    names = {element.attrib["id"]: "" for element in root.iter() if "id" in element.attrib}
    fresh = {old: f"{prefix}-{index}" for index, old in enumerate(names)}
    for element in root.iter():
        for key, value in element.attrib.items():
            if key == "id":
                element.set(key, fresh[value])
            elif value.startswith("url(#"):
                element.set(key, f"url(#{fresh.get(value[5:-1], value[5:-1])})")


def _tidy(element: ET.Element) -> None:
    element.tag = element.tag.removeprefix(_SVG)
    for key, value in list(element.attrib.items()):
        if key.startswith(_DROPPED) or (key, value) in _DEFAULTS:
            del element.attrib[key]
        elif key in {"d", "transform", "x", "y", "x1", "x2", "y1", "y2", "width", "height"}:
            element.set(key, _NUMBER.sub(_rounded, value))


def _rounded(match: re.Match[str]) -> str:
    return f"{float(match.group()):.1f}".removesuffix(".0").replace("-0.0", "0")


def _prune(element: ET.Element) -> None:
    """Drop what draws nothing: hidden or empty paths, and groups left without content."""
    for child in list(element):
        _prune(child)
        _hoist(child)
        empty_path = child.tag == "path" and (child.get("d", "") in {"", "M0,0h0v0h0Z"} or _invisible(child))
        if empty_path or child.get("display") == "none" or (child.tag == "g" and not len(child)):
            element.remove(child)
        elif child.tag == "g" and not child.attrib:
            _splice(element, child)


def _hoist(group: ET.Element) -> None:
    """Say once on a group what all its children say: half of the bytes of an axis are repeated."""
    if group.tag != "g" or len(group) < 2:
        return
    for key in _INHERITED:
        values = {child.get(key) for child in group}
        if len(values) == 1 and None not in values and key not in group.attrib:
            group.set(key, group[0].attrib[key])
            for child in group:
                del child.attrib[key]


def _invisible(path: ET.Element) -> bool:
    # The background of a view has neither fill nor stroke of its own and inherits fill="none".
    return not ({"fill", "stroke"} & set(path.attrib)) and path.get("clip-path") is None


def _splice(parent: ET.Element, group: ET.Element) -> None:
    at = list(parent).index(group)
    parent.remove(group)
    for offset, child in enumerate(list(group)):
        parent.insert(at + offset, child)


def _name_root(root: ET.Element, prefix: str, title: str, description: str) -> None:
    width, height = root.get("width", "0"), root.get("height", "0")
    root.attrib.clear()
    root.attrib.update(
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "role": "img",
            "aria-labelledby": f"{prefix}-t",
            "aria-describedby": f"{prefix}-d",
            "viewBox": f"0 0 {width} {height}",
            "width": width,
            "height": height,
            "font-family": "Arial,Helvetica,Liberation Sans,sans-serif",
            "overflow": "visible",
        }
    )
    for index, (tag, key, text) in enumerate((("title", "t", title), ("desc", "d", description))):
        element = ET.Element(tag, {"id": f"{prefix}-{key}"})
        element.text = text
        root.insert(index, element)


def _colours(text: str) -> str:
    for colour, variable in as_variables().items():
        text = text.replace(f'="{colour}"', f'="{variable}"')
    return text
