"""The task "compare": what a window needs to show results beside their reference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from MedSRLib import files, images
from MedSRLib.errors import InputError, OutputError
from MedSRLib.jobs import checks
from MedSRLib.jobs.window_job import CompareInputs, CompareJob, ResultFile

if TYPE_CHECKING:
    import SimpleITK as sitk

    from MedSRLib.evaluation.comparison import Result
    from MedSRLib.progress import Progress


def perform(job: CompareJob, progress: Progress) -> dict[str, Any]:
    """Write volumes and measures into the folder; see `evaluation.comparison`."""
    from MedSRLib.evaluation import comparison
    from MedSRLib.evaluation.metrics import json_ready

    given, folder = job.inputs, job.outputs.folder
    fields = [result.field for result in given.results.values()]
    checks.inputs_exist(
        [given.reference, given.mask, given.input, *fields, *(result.image for result in given.results.values())]
    )
    checks.folder_can_be_written(folder)
    _make(folder)
    progress.stage("Reading")
    results = {key: _result(result, progress) for key, result in given.results.items()}
    if given.reference is None:
        content = comparison.place(folder, results, progress=progress)
    else:
        reference, mask = images.read(given.reference, progress), _mask(given)
        wanted = job.parameters.measures
        content = comparison.compare(folder, results, reference, mask, measures=wanted, progress=progress)
    if given.input is not None and given.reference is None:
        content |= _without_reference(results, folder, images.read(given.input, progress), progress)
        files.write_text_atomic(
            folder / comparison.MEASURES_FILE, json.dumps(json_ready(content), ensure_ascii=False) + "\n"
        )
    return {"outputs": {"folder": str(folder)}, "notes": content["notes"]}


def _result(result: ResultFile, progress: Progress) -> Result:
    from MedSRLib.evaluation.comparison import Result

    field = None if result.field is None else _field(result.field)
    return Result(images.read(result.image, progress), field, result.name)


def _field(path: Path) -> sitk.Image:
    import SimpleITK as sitk

    try:
        field = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise InputError(f"The field of displacements '{path}' cannot be read.", str(error).splitlines()[-1]) from error
    if field.GetDimension() != 3 or field.GetNumberOfComponentsPerPixel() != 3:
        raise InputError(f"The file '{path}' is no field of displacements.", "", "Give a 3D image of three components.")
    return field


def _mask(given: CompareInputs) -> sitk.Image | None:
    if given.mask is None:
        return None
    mask = images.read(given.mask)
    return mask if given.label is None else mask == given.label


def _without_reference(
    results: dict[str, Result], folder: Path, image: sitk.Image, progress: Progress
) -> dict[str, Any]:
    """What `evaluation.unreferenced` measures of each result, by key, and the noise of the input.

    A result that is bent by a field, or has axes oblique to the input's, has no residual.
    """
    from MedSRLib.acquisition import Acquisition, estimate_sigma
    from MedSRLib.evaluation import unreferenced
    from MedSRLib.evaluation.scan import Scan

    scan, found = Scan.of(image, progress=progress), {}
    for number, (key, result) in enumerate(results.items()):
        progress.stage(f"Looking at {number + 1} of {len(results)}")
        part = progress.part(number / len(results), (number + 1) / len(results))
        on_one_grid = images.to_array(images.read(folder / f"{number}.nrrd"))  # of `comparison.place`
        one: dict[str, Any] = {"rmse": None, "relative": None}
        residual = None if result.field is not None else scan.residual_or_none(result.image, Acquisition())
        if residual is not None:
            told = scan.measured(residual)
            one = {name: told[name]["whole"] for name in one}
        one["noise"] = estimate_sigma(images.to_array(result.image))
        found[key] = one | unreferenced.sharpness(scan, on_one_grid, None, part)
    return {"unreferenced": found, "input_noise": scan.noise}


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder '{folder}' cannot be made: {error.strerror}.") from error
