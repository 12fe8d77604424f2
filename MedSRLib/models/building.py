"""From a model's card and weights to the network they describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from MedSRLib.errors import ModelError

if TYPE_CHECKING:
    from MedSRLib.models.library import Model


def network_of(model: Model, method: str) -> Any:
    """The network a model's card describes, with its weights, float32, ready to be used.

    Args:
        model: card and weights.
        method: the method that will use it.

    Returns:
        A network that answers queries, see `networks.catalogue`.

    Raises:
        ModelError: if the card is another method's, or the weights do not fit the architecture.
    """
    from MedSRLib.networks.convolution import fold

    if model.card.method != method:
        raise ModelError(
            f"The model '{model.card.name}' was made for the method '{model.card.method}', not for '{method}'.",
            "",
            "Choose another model, or the method it was made for.",
        )
    network = trained(model)
    fold(network)
    return network.eval()


def trained(model: Model) -> Any:
    """The network as it was trained, its weights still normalised where they were; errors as `network_of`."""
    from MedSRLib.networks import catalogue

    network = catalogue.build(model.card.method, model.card.architecture)
    try:
        network.load_state_dict({name: tensor.float() for name, tensor in model.tensors.items()})
    except RuntimeError as error:
        raise ModelError(
            f"The weights of the model '{model.card.name}' do not fit the architecture its card states.",
            str(error).split("\n")[1].strip() if "\n" in str(error) else str(error),
            "Fetch or train the model again.",
        ) from error
    return network
