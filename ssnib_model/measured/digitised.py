"""Projects of WebPlotDigitizer: its JSON, and the .tar that holds it beside the image."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import numpy as np

from ssnib_model.errors import MeasuredDataError
from ssnib_model.measured.capacity_voltage_formats import CurveFormat, Dataset
from ssnib_model.measured.text import Source

#: Data sets, points of one, and members of a .tar.
MAX_DATASETS, MAX_POINTS, MAX_MEMBERS = 500, 100_000, 500

#: No digitised value is as large as this.
LARGEST = 1e100


class DigitizerProject(CurveFormat):
    """A project of WebPlotDigitizer as JSON, of its versions 3 and 4."""

    name = "WebPlotDigitizer project"
    suffixes = ".json"
    about = "every data set on x and y axes that has points"

    def opens(self, source: Source) -> bool:
        """Whether it is JSON with the words of such a project."""
        is_object = source.start.lstrip().startswith("{")
        words = (b'"datasetColl"', b'"dataSeries"')
        return is_object and any(word in source.data for word in words)

    def datasets(self, source: Source) -> list[Dataset]:
        """See `CurveFormat.datasets`."""
        return self.of_project(source, source.data)

    def of_project(self, source: Source, data: bytes) -> list[Dataset]:
        """The data sets of a project as JSON."""
        try:
            return [Dataset(*curve) for curve in self._curves(source, json.loads(data))]
        except MeasuredDataError:
            raise
        except RecursionError as error:
            raise source.error("is nested too deeply") from error
        except (LookupError, TypeError, AttributeError, ValueError, OverflowError) as error:
            raise source.error(
                f"is no project of WebPlotDigitizer as of version 3 or 4: {str(error)[:100]}"
            ) from error

    def _curves(self, source: Source, project: Any) -> list[tuple[str, np.ndarray, np.ndarray]]:
        if "wpd" in project:  # version 3
            old = project["wpd"]
            if old["axesType"] != "XYAxes":
                raise source.error(f"its axes are {old['axesType']!r:.30}, not x and y")
            given = old["dataSeries"]
        else:
            plane = {axis["name"] for axis in project["axesColl"] if axis["type"] == "XYAxes"}
            given = [d for d in project["datasetColl"] if d["axesName"] in plane]
        if len(given) > MAX_DATASETS or any(len(d["data"]) > MAX_POINTS for d in given):
            raise source.error(
                f"at most {MAX_DATASETS} data sets of {MAX_POINTS} points each are read"
            )
        curves = []
        for number, dataset in enumerate(given, 1):
            points = dataset["data"]
            if not points:  # one is made with every pair of axes
                continue
            name = str(dataset["name"]).strip()[:200] or f"curve {number}"
            if any("value" not in point for point in points):
                raise source.error(
                    f"{name!r} has points in pixels only: open it in WebPlotDigitizer with its "
                    "image, and save it again"
                )
            values = np.array([[float(v) for v in point["value"][:2]] for point in points])
            if values.shape[1:] != (2,) or not (np.abs(values) < LARGEST).all():
                raise source.error(f"{name!r} has a point that is no two finite numbers")
            curves.append((name, values[:, 0], values[:, 1]))
        return curves


class DigitizerTar(DigitizerProject):
    """The same in a .tar with the image; only the project is read, and into memory."""

    suffixes = ".tar"
    about = "the same with its image, which is not looked at; nothing is unpacked to disk"

    def opens(self, source: Source) -> bool:
        """Whether it is a .tar."""
        return source.data[257:262] == b"ustar" or source.path.suffix.lower() == ".tar"

    def datasets(self, source: Source) -> list[Dataset]:
        """See `CurveFormat.datasets`."""
        found: list[bytes] = []
        reason = ""
        try:
            # not compressed: nothing in it is larger than the file
            with tarfile.open(fileobj=io.BytesIO(source.data), mode="r:") as archive:
                for count, member in enumerate(archive):
                    if count >= MAX_MEMBERS:
                        reason = f"it has more than {MAX_MEMBERS} members"
                        break
                    if member.name.split("/")[-1] == "wpd.json" and member.isreg():
                        if member.issparse() or member.size > len(source.data):
                            reason = "its wpd.json is no plain file"
                            break
                        content = archive.extractfile(member)
                        found.append(content.read() if content else b"")
        except (tarfile.TarError, OSError, EOFError, ValueError, LookupError) as error:
            reason = str(error)[:100]
        if not reason and len(found) != 1:
            reason = f"it has {len(found)} files wpd.json, where one is needed"
        if reason:
            raise source.error(f"cannot be read as a .tar of WebPlotDigitizer: {reason}")
        return self.of_project(source, found[0])
