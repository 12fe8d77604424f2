"""From a model's card and weights to the network they describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from MedSRLib.errors import ModelError

if TYPE_CHECKING:
    from MedSRLib.models.library import Model
    from MedSRLib.networks.arssr import ArSSR as Network


def network_of(model: Model) -> Network:
    """The network a model's card describes, with its weights, float32.

    Raises:
        ModelError: if the card is another method's, or the weights do not fit the architecture.
    """
    from MedSRLib.networks.arssr import ArSSR as Network
    from MedSRLib.networks.arssr import ArSSRConfig

    if model.card.method != "arssr":
        raise ModelError(
            f"The model '{model.card.name}' was made for the method '{model.card.method}', not for 'arssr'.",
            "",
            "Choose another model, or the method it was made for.",
        )
    network = Network(ArSSRConfig.of(model.card.architecture))
    try:
        network.load_state_dict({name: tensor.float() for name, tensor in model.tensors.items()})
    except RuntimeError as error:
        raise ModelError(
            f"The weights of the model '{model.card.name}' do not fit the architecture its card states.",
            str(error).split("\n")[1].strip() if "\n" in str(error) else str(error),
            "Fetch or train the model again.",
        ) from error
    return network.eval()
