"""Read how our messages look and where their links lead: `templates/brand.yaml`, and its customer stories.

What a message says is in its template; whom it comes from is in the settings.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from cs_pipeline.yaml_with_lines import validate

Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$", description="a colour such as #1f6f5c")]
Link = Annotated[str, Field(pattern=r"^(/|https?://)\S*$", description="a path under the product's address, or a URL")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Colours(_Part):
    """Colours of customer mail."""

    accent: Colour
    accent_ink: Colour
    ink: Colour
    soft: Colour
    line: Colour
    ground: Colour
    paper: Colour
    tint: Colour


class Links(_Part):
    """Pages that mail leads to, as paths under `product_url` or URLs elsewhere."""

    home: Link
    help: Link
    team: Link
    integrations: Link
    features: Link
    training: Link
    meeting: Link
    stories: Link
    plans: Link
    renewal: Link
    billing: Link
    news: Link
    feedback: Link
    refer: Link
    export: Link


class Story(_Part):
    """A true story of a customer. Without `industry` and `tier` it fits everybody."""

    title: Annotated[str, Field(min_length=1)]
    url: Link
    summary: Annotated[str, Field(min_length=1)]
    industry: str | None = None
    tier: str | None = None
    has_expanded: bool = False


class Brand(_Part):
    """Everything that customer mail has in common."""

    colours: Colours
    font: Annotated[str, Field(min_length=1)]
    logo_url: Annotated[str, Field(pattern=r"^https://")] | None = None
    currency: Annotated[str, Field(min_length=1, max_length=4)]
    links: Links
    stories: tuple[Story, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self:
        """The brand in a file. Raises InvalidFile with every problem, each at its line and field."""
        return validate(cls, path)

    @cached_property
    def in_templates(self) -> Mapping[str, object]:
        """How mails look, as templates read it."""
        return {"colours": self.colours.model_dump(), "font": self.font, "logo_url": self.logo_url}

    def links_under(self, product_url: str) -> Mapping[str, str]:
        """Every link as a URL, by name."""
        return {name: _under(product_url, link) for name, link in self.links}

    def story_for(
        self, industry: object, tier: object, product_url: str, *, of_expansion: bool = False
    ) -> Mapping[str, str] | None:
        """The story of the most similar company (S5-08, S5-32): of its industry first, then of its tier.

        None where no story is about a company of either and none is for everybody.
        """

        def likeness(story: Story) -> int | None:
            score = 0
            for wanted, given, weight in ((story.industry, industry, 2), (story.tier, tier, 1)):
                if wanted is not None and str(given or "").casefold() == wanted.casefold():
                    score += weight
            is_similar = score > 0 or (story.industry is None and story.tier is None)
            return score if is_similar and (story.has_expanded or not of_expansion) else None

        found = [(score, story) for story in self.stories if (score := likeness(story)) is not None]
        if not found:
            return None
        best = max(found, key=lambda each: each[0])[1]
        return {"title": best.title, "summary": best.summary, "url": _under(product_url, best.url)}


def _under(product_url: str, link: str) -> str:
    return product_url.rstrip("/") + link if link.startswith("/") else link
