"""The numbers of a report as tables for other programs."""

from __future__ import annotations

import csv
import io
import math

from MedSRLib.evaluation.records import metrics_csv, slices_csv


def test_rows_have_the_same_columns_and_undefined_numbers_are_empty() -> None:
    about = {"section": "×2", "edge_width_mm": None}
    results = {
        "A ×2": {"name": "A", "psnr": {"mask": math.inf, "whole": 30.5}, "dice": {"mask": 0.5, "label 2": 0.5}} | about,
        "B ×2": {"name": "B", "psnr": {"mask": math.nan, "whole": 20.5}, "dice": {"mask": 0.2, "label 1": 0.2}} | about,
    }
    first, second = csv.DictReader(io.StringIO(metrics_csv(results, ["psnr", "dice"])))
    assert list(first)[3:] == ["psnr_whole", "psnr_mask", "dice_mask", "dice_label_2", "dice_label_1", "edge_width_mm"]
    assert (first["psnr_whole"], first["psnr_mask"], first["dice_label_1"]) == ("30.5", "inf", "")
    assert (second["psnr_mask"], second["dice_label_1"], second["edge_width_mm"]) == ("", "0.2", "")


def test_slices_without_a_number_are_left_out() -> None:
    results = {"A": {"slices": {"vif": {"k": [math.nan, 0.5, 0.25], "i": [None, 0.75]}}}}
    rows = slices_csv(results, {"k": [0, 1.5, 3.0], "j": [], "i": [0, 1.0]}).splitlines()
    assert rows[0] == "result,measure,axis,slice,position_mm,value"
    assert rows[1:] == ["A,vif,k,1,1.5,0.5", "A,vif,k,2,3.0,0.25", "A,vif,i,1,1.0,0.75"]
