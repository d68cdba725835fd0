"""What is expected of a device's values: written in TOML, or as a pydantic model."""

from gateway.profiles.config import MetricConfig, ProfileConfig
from gateway.profiles.plain import ANY
from gateway.profiles.profile import MetricInfo, Profile
from gateway.profiles.table import TableProfile
from gateway.profiles.user_model import ModelProfile, load_model


def build(name: str, config: ProfileConfig) -> Profile:
    """Return the profile that ``[profiles.NAME]`` describes.

    Raises
    ------
    ValueError
        Its ``model`` can't be used, in words for the author of gateway.toml.
    """
    if config.model is not None:
        return ModelProfile(name, load_model(config.model))
    return TableProfile(name, config)


__all__ = ["ANY", "MetricConfig", "MetricInfo", "Profile", "ProfileConfig", "build"]
