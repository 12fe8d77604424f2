"""What tells how far a result can be trusted where nobody has the truth: its maps, what they cost, and refinement."""

from __future__ import annotations

from slicer.i18n import tr as _

from MedSRPanel.section import Section, enable


class ChecksSection(Section):
    """Says what an uncertainty map costs before it is asked for, and which method takes neither it nor refinement."""

    def show(self) -> None:
        ui = self.ui
        labels = ""
        if not self.panel.missing and self.logic.ofLabels(self.parameters):
            labels = _("This method keeps labels as they are: there is nothing to average or to correct.")
        enable(
            ui.uncertaintyCheckBox,
            labels,
            _(
                "A second volume shows where the method gives other answers when the input is turned: one standard "
                "deviation over eight flips. The result is their mean. Where they agree, they may all be wrong."
            ),
        )
        enable(
            ui.refineCheckBox,
            labels,
            _(
                "Correct the result until, made coarse again, it is the input within its noise. What the scanner "
                "could not see stays the method's guess."
            ),
        )
        ui.uncertaintyCostLabel.text = "" if labels else self._cost()
        ui.uncertaintyCostLabel.visible = bool(ui.uncertaintyCostLabel.text)

    def _cost(self) -> str:
        """How long a run takes with and without the uncertainty map; a factor where the speed is not known.

        Interpolation has nothing to be uncertain of.
        """
        from MedSRPanel import wording

        if self.panel.whyNot():
            return ""
        if self.panel.methods[self.logic.chosen(self.parameters)[0]].family == "interpolation":
            return _("Interpolation gives the same however the input is turned: its uncertainty map is empty.")
        speed = self.panel.quality.speed()
        found = [self.logic.estimate(self.parameters, speed, uncertainty=wanted) for wanted in (False, True)]
        times = [None if each is None else each.seconds for each in found]
        if times[0] is None or times[1] is None:
            return _("The uncertainty map takes eight times as long.")
        factor = self.panel.apply.correction()
        return _("With the uncertainty map about {long}, without it about {short}.").format(
            long=wording.duration_text(times[1] * factor), short=wording.duration_text(times[0] * factor)
        )
