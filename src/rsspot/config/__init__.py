"""The user's settings: config files, profiles, and which source takes precedence. Its names are those of rsspot 0.3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rsspot.utils.late_names import late_names

if TYPE_CHECKING:
    from rsspot.compatibility.config import CacheConfig, ConfigInput, ProfileConfig, RetryConfig, SDKConfig
    from rsspot.compatibility.config import PreferencesConfig as Preferences
    from rsspot.compatibility.config_files import (
        CONFIG_PATH_ENVS,
        ConfigPaths,
        ProfileManager,
        ResolvedConfig,
        default_config_candidates,
        dump_config,
        ensure_default_config_exists,
        legacy_config_path,
        load_config,
        save_config,
    )

__all__ = [
    "CONFIG_PATH_ENVS",
    "CacheConfig",
    "ConfigInput",
    "ConfigPaths",
    "Preferences",
    "ProfileConfig",
    "ProfileManager",
    "ResolvedConfig",
    "RetryConfig",
    "SDKConfig",
    "default_config_candidates",
    "dump_config",
    "ensure_default_config_exists",
    "legacy_config_path",
    "load_config",
    "save_config",
]

if not TYPE_CHECKING:
    __getattr__ = late_names(
        __name__,
        {
            "CONFIG_PATH_ENVS": "rsspot.compatibility.config_files:CONFIG_PATH_ENVS",
            "CacheConfig": "rsspot.compatibility.config:CacheConfig",
            "ConfigInput": "rsspot.compatibility.config:ConfigInput",
            "ConfigPaths": "rsspot.compatibility.config_files:ConfigPaths",
            "Preferences": "rsspot.compatibility.config:PreferencesConfig",
            "ProfileConfig": "rsspot.compatibility.config:ProfileConfig",
            "ProfileManager": "rsspot.compatibility.config_files:ProfileManager",
            "ResolvedConfig": "rsspot.compatibility.config_files:ResolvedConfig",
            "RetryConfig": "rsspot.compatibility.config:RetryConfig",
            "SDKConfig": "rsspot.compatibility.config:SDKConfig",
            "default_config_candidates": "rsspot.compatibility.config_files:default_config_candidates",
            "dump_config": "rsspot.compatibility.config_files:dump_config",
            "ensure_default_config_exists": "rsspot.compatibility.config_files:ensure_default_config_exists",
            "legacy_config_path": "rsspot.compatibility.config_files:legacy_config_path",
            "load_config": "rsspot.compatibility.config_files:load_config",
            "save_config": "rsspot.compatibility.config_files:save_config",
        },
    )
