"""The one place where settings come from: environment, then `.env`, then the profile's TOML.

Every setting is the environment variable `RETRIEVALS_<NAME>`. A profile (`profiles/<name>.toml`)
gives the values that belong together for one collection and one machine.
"""

import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any, Self, get_args

from pydantic import SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from retrievals_serving.errors import SettingsError
from retrievals_serving.settings.api import ApiSettings
from retrievals_serving.settings.build import DEFAULT_PROFILE, BuildSettings
from retrievals_serving.settings.search import SearchSettings
from retrievals_serving.store import Store

PROFILES = Path(__file__).parents[1] / "profiles"


class Settings(ApiSettings, SearchSettings, BuildSettings, BaseSettings):
    """What a build and a server need to know; immutable once read."""

    model_config = SettingsConfigDict(
        env_prefix="RETRIEVALS_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: arguments, environment, `.env`, profile."""
        return init_settings, env_settings, dotenv_settings, ProfileSource(settings_cls)

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Read the settings; `overrides` win over every other source.

        Raises:
            SettingsError: A value is malformed or the profile is unknown; names the variable.
        """
        try:
            return cls(**{name: value for name, value in overrides.items() if value is not None})
        except ValidationError as error:
            problems = "; ".join(
                f"{cls.variable(str(problem['loc'][0]) if problem['loc'] else 'settings')}: "
                f"{problem['msg']} (got {cls._shown(problem)})"
                for problem in error.errors(include_url=False)
            )
            raise SettingsError(f"{problems}. See .env.example for what each accepts.") from error

    @classmethod
    def _shown(cls, problem: ErrorDetails) -> str:
        """Return the value that was refused, and nothing of a secret's."""
        field = cls.model_fields.get(str(problem["loc"][0])) if problem["loc"] else None
        is_secret = field is not None and SecretStr in get_args(field.annotation)
        return "a secret" if is_secret else repr(problem["input"])

    @staticmethod
    def variable(name: str) -> str:
        """Return the environment variable of the setting `name`."""
        return f"RETRIEVALS_{name.upper()}"

    @model_validator(mode="after")
    def _default_home(self) -> Self:
        if "home" not in self.model_fields_set:
            object.__setattr__(self, "home", Path(".retrievals") / self.profile)
        return self

    @cached_property
    def store(self) -> Store:
        """The folder of artifacts under `home`."""
        return Store(self.home.expanduser().absolute())


class ProfileSource(PydanticBaseSettingsSource):
    """The values of the profile that the sources before this one have named."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Satisfy the base class; the whole profile is read at once in `__call__`."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Read `profiles/<name>.toml`.

        Raises:
            SettingsError: There is no such profile.
        """
        name = self.current_state.get("profile") or DEFAULT_PROFILE
        path = PROFILES / f"{name}.toml"
        if name not in profile_names():
            raise SettingsError(
                f"RETRIEVALS_PROFILE: there is no profile {name!r}; "
                f"choose one of {', '.join(profile_names())}."
            )
        return tomllib.loads(path.read_text(encoding="utf-8"))


def profile_names() -> list[str]:
    """Return the names of the profiles that ship with the project, sorted."""
    return sorted(path.stem for path in PROFILES.glob("*.toml"))
