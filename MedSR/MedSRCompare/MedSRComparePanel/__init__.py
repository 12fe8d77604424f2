"""What the panel of MedSR Compare shows and does: one file a section, and what they share."""
