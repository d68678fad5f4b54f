"""Part: what every noun of a page is."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """Frozen; built from any object that has these names, and blind to what else it has."""

    model_config = ConfigDict(frozen=True, extra="ignore", from_attributes=True)
