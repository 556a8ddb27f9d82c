"""Puts the example organisation into wheels, for ``throttle demo``; an editable install reads it where it is."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class DemoData(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "standard":
            build_data["force_include"]["datasets/parts-unlimited/native"] = "throttle/demo_data"
