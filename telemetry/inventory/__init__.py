"""The inventory: who and what there is in a county, and what a file of it has to say to be one."""

from telemetry.inventory.assets import Asset, BinGeometry, Collection, Device, Location, PlantDesign
from telemetry.inventory.county import Area, CountySettings, Duty, Feeder, Person, RadioGateway, Route
from telemetry.inventory.model import Inventory

__all__ = [
    "Area",
    "Asset",
    "BinGeometry",
    "Collection",
    "CountySettings",
    "Device",
    "Duty",
    "Feeder",
    "Inventory",
    "Location",
    "Person",
    "PlantDesign",
    "RadioGateway",
    "Route",
]
