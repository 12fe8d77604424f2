"""The report as a reader and as a program meet it."""

import csv
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib.errors import Cancelled, InputError, OptionError, OutputError
from MedSRLib.evaluation import measures, report
from MedSRLib.evaluation.html import MAX_BYTES
from MedSRLib.evaluation.page import told
from MedSRLib.evaluation.pictures import diverging_map
from MedSRLib.evaluation.report import Section, Wanted, write_report, write_sections
from MedSRLib.progress import Progress


def volume(blur=0.0, shape=(18, 20, 22)):
    """A head-like ball with a dark hole, blurred, 1.5 mm, in an oblique orientation."""
    centre = (np.array(shape) - 1) / 2
    k, j, i = (g - c for g, c in zip(np.indices(shape), centre, strict=True))
    array = 100.0 * (k**2 + j**2 + i**2 <= 64) - 60.0 * (k**2 + j**2 + (i - 2) ** 2 <= 9)
    image = sitk.GetImageFromArray(array.astype(np.float32))
    image.SetSpacing((1.5, 1.5, 1.5))
    image.SetDirection((0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1))
    return sitk.SmoothingRecursiveGaussian(image, blur) if blur else image


class Sources(HTMLParser):
    """Everything a page would fetch."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found += [v for k, v in attributes if k in ("src", "href", "srcset", "data", "action")]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "new" / "folder"
    sharp = volume(1.0)
    sharp.SetMetaData("MedSR_method", "bspline")
    results = {"Sharp": sharp, "Soft <b>": volume(2.5)}
    events = []
    path = write_report(
        folder, volume(), results, input=sitk.Shrink(volume(), [2, 2, 2]), progress=Progress(events.append)
    )
    return path, events


def test_the_page_is_self_contained_and_small(written):
    path, _ = written
    text = path.read_text(encoding="utf-8")
    sources = Sources()
    sources.feed(text)
    # Details, views, profile, differences, histograms, agreement, curves.
    assert len(sources.found) == 7
    assert all(source.startswith("data:image/png;base64,") for source in sources.found)
    assert "url(" not in text and "<script" not in text
    assert len(text) < 15_000_000


def test_the_page_says_what_a_reader_must_know(written):
    text = written[0].read_text(encoding="utf-8")
    visible = re.sub(r"data:image/png;base64,[^\"]*", "", text)
    assert visible.count("Research use only") == 1
    for words in (
        "Data range R = 100",
        "Mask: foreground",
        "method: bspline",
        "not recorded",
        "SSIM window 7 × 7 × 7",
    ):
        assert words in visible
    assert "Soft &lt;b&gt;" in visible and "Soft <b>" not in visible
    # Pictures first, then numbers.
    assert visible.index('<h2 class="first">Pictures') < visible.index("Numbers</h2>")


def test_the_best_of_each_column_is_bold(written):
    text = written[0].read_text(encoding="utf-8")
    sharp, soft = (
        re.search(rf"<tr><td>{name}</td>\s*<td.*?</tr>", text, re.S).group() for name in ("Sharp", "Soft &lt;b&gt;")
    )
    assert sharp.count('class="best"') == 10 and soft.count('class="best"') == 0
    assert [re.sub("<.*?>", "", head) for head in re.findall(r'<th class="group".*?</th>', text)][:3] == [
        "PSNR, dB ↑",
        "SSIM ↑",
        "MAE, intensity units ↓",
    ]


def test_numbers_are_data_too(written):
    folder = written[0].parent
    content = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert set(content["results"]) == {"Sharp", "Soft <b>"}
    sharp, soft = content["results"]["Sharp"], content["results"]["Soft <b>"]
    for metric in ("psnr", "ssim", "mae", "nrmse"):
        assert set(sharp[metric]) == {"whole", "mask"}
    assert sharp["psnr"]["mask"] > soft["psnr"]["mask"] and sharp["ssim"]["mask"] > soft["ssim"]["mask"]
    assert sharp["reference_edge_width_mm"] < sharp["edge_width_mm"] < soft["edge_width_mm"]
    assert content["data_range"] == pytest.approx(100) and "foreground" in content["mask"]
    rows = list(csv.DictReader((folder / "metrics.csv").open()))
    assert [row["result"] for row in rows] == ["Sharp", "Soft <b>"]
    assert float(rows[0]["psnr_mask"]) == pytest.approx(sharp["psnr"]["mask"])


def test_every_measure_is_explained_and_every_section_there(written):
    text = written[0].read_text(encoding="utf-8")
    parts = ("Pictures", "Sharpness of an edge", "Signed differences", "Distribution of the errors", "Agreement")
    parts += ("Slice by slice", "Numbers", "What the measures are", "Where the results come from")
    places = [text.index(f">{part}") for part in parts]
    assert places == sorted(places)
    for name in measures.chosen(["default"]):
        assert measures.MEASURES[name].description in text


def test_slices_are_data_with_their_position(written):
    folder = written[0].parent
    content = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    by_slice = content["results"]["Sharp"]["slices"]
    assert {axis: len(values) for axis, values in by_slice["ssim-2d"].items()} == {"k": 18, "j": 20, "i": 22}
    rows = list(csv.DictReader((folder / "slices.csv").open()))
    chosen = [r for r in rows if (r["result"], r["measure"], r["axis"]) == ("Sharp", "psnr", "k")]
    assert [float(r["value"]) for r in chosen] == [v for v in by_slice["psnr"]["k"] if v is not None]
    assert all(float(r["position_mm"]) == 1.5 * int(r["slice"]) for r in rows)


def test_the_chosen_measures_are_measured_and_no_others(tmp_path):
    lesions = sitk.Cast(volume() > 90, sitk.sitkUInt8)
    wanted = Wanted(("psi", "lpc-si", "hfen", "lesion-mae"), lesions=lesions)
    path = write_report(tmp_path, volume(shape=(18, 33, 34)), {"A": volume(1.0, (18, 33, 34))}, wanted=wanted)
    content = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    entry = content["results"]["A"]
    assert {"psi", "lpc-si", "hfen", "lesion-mae"} < set(entry) and "psnr" not in entry
    assert entry["lesion-mae"]["lesion 1"] > 0
    assert set(content["reference"]) == {"size", "spacing_mm", "psi", "lpc-si", "slices"}
    with (tmp_path / "metrics.csv").open() as file:
        assert {"psi_mask", "hfen_whole", "lesion-mae_lesion_1"} < set(next(csv.reader(file)))
    text = path.read_text(encoding="utf-8")
    assert 'class="reference"' in text and "PSI and LPC-SI judge sharpness, not truth" in text
    assert r"\toprule" in (tmp_path / "metrics.tex").read_text(encoding="utf-8")


def test_a_measure_that_is_none_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(OptionError, match="'lpips'"):
        write_report(tmp_path / "new", volume(), {"A": volume()}, wanted=Wanted(("lpisp",)))
    assert not list(tmp_path.glob("new/*"))


def test_what_a_result_was_made_by_is_told_once_and_short():
    provenance = {"method": "arssr", "note": "Research use only.", "model": None, "seed": 0, "model_sha256": "0f" * 32}
    provenance["settings"] = {"method": "arssr", "scale": None, "options": {}, "memory": 2}
    assert told(provenance) == "method: arssr; seed: 0; model_sha256: 0f0f0f0f0f0f…; memory: 2"


def test_progress_ends_at_one(written):
    fractions = [event["fraction"] for event in written[1] if event["event"] == "progress"]
    assert fractions == sorted(fractions) and fractions[-1] == 1


def test_sections_share_a_reference_and_are_told_apart(tmp_path):
    sections = [Section("×2", {"A": volume(1.0)}), Section("×4", {"A": volume(2.0)})]
    write_sections(tmp_path, volume(), sections, title="Two scales", introduction="A ball.")
    results = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))["results"]
    assert set(results) == {"A ×2", "A ×4"}
    assert (results["A ×4"]["name"], results["A ×4"]["section"]) == ("A", "×4")
    assert "A ball." in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_page_that_grows_too_large_gets_coarser_pictures(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "page", lambda *arguments: "x" * (120_000 * arguments[-1]))
    path = write_report(tmp_path, volume(), {"A": volume(1.0)})
    assert path.stat().st_size == 120_000 * 100 < MAX_BYTES < 120_000 * 130


def test_many_results_go_into_several_figures(tmp_path):
    image = volume(1.0, (12, 12, 12))
    path = write_report(tmp_path, volume(shape=(12, 12, 12)), {f"R{i}": image for i in range(5)})
    assert path.read_text(encoding="utf-8").count("data:image/png") == 10


@pytest.mark.parametrize("shape", [(1, 14, 15), (2, 14, 15)])
def test_thin_volumes_are_shown(tmp_path, shape):
    rng = np.random.default_rng(0)
    image = sitk.GetImageFromArray(rng.random(shape, dtype=np.float32))
    assert write_report(tmp_path, image, {"Same": image}).is_file()
    assert (
        json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))["results"]["Same"]["psnr"]["whole"] is None
    )


def test_zero_is_white():
    assert diverging_map()(0.5) == (1.0, 1.0, 1.0, 1.0)
    blue, red = diverging_map()(0.0), diverging_map()(1.0)
    assert blue[2] > blue[0] and red[0] > red[2]


@pytest.mark.parametrize("name", ["Reference", "Input"])
def test_reserved_names_are_refused(tmp_path, name):
    with pytest.raises(OptionError, match=name):
        write_report(tmp_path, volume(), {name: volume()})


def test_nothing_to_compare_is_refused(tmp_path):
    with pytest.raises(OptionError, match="no result"):
        write_report(tmp_path, volume(), {})


def test_a_wrong_result_leaves_no_report(tmp_path):
    with pytest.raises(InputError, match="'Far'"):
        far = volume()
        far.SetOrigin((900, 0, 0))
        write_report(tmp_path, volume(), {"Far": far})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        write_report(tmp_path / "file" / "folder", volume(), {"A": volume()})


def test_a_cancel_leaves_no_report(tmp_path):
    with pytest.raises(Cancelled):
        write_report(tmp_path, volume(), {"A": volume()}, progress=Progress(cancelled=lambda: True))
    assert list(tmp_path.iterdir()) == []
