"""What the training copies of a whole volume look like."""

from __future__ import annotations

import pytest
import torch

from MedSRLib.training import whole_pairs


def test_a_bent_contrast_keeps_the_order_of_the_intensities_and_their_median() -> None:
    fine = torch.rand(12, 10, 9, generator=torch.Generator().manual_seed(0)) * 3
    mask = fine > 0.2
    bent = whole_pairs.bent(fine, mask, 0.4, torch.Generator().manual_seed(1))
    assert torch.equal(bent.flatten().argsort(), fine.flatten().argsort())
    assert float(bent[mask].median()) == pytest.approx(float(fine[mask].median()), rel=1e-4)
    assert float((bent - fine).abs().max()) > 0.05
    again = whole_pairs.bent(fine, mask, 0.4, torch.Generator().manual_seed(2))
    assert not torch.allclose(again, bent)


def test_a_contrast_that_is_not_bent_is_as_it_was() -> None:
    fine = torch.rand(8, 8, 8, generator=torch.Generator().manual_seed(0)) * 3
    same = whole_pairs.bent(fine, fine > 0.1, 0.0, torch.Generator().manual_seed(1))
    assert torch.allclose(same, fine, atol=1e-5)
