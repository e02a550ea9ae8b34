"""Where a thing stands while it is painted: places on it are counted from its foot, in heights."""

from collections.abc import Sequence
from dataclasses import dataclass

from retrievals_pipeline.miniature.painting.canvas import Canvas, Color, Point


@dataclass(frozen=True)
class Pose:
    """The foot (x, y) and height `s` of a thing in pixels; `way` -1 mirrors it, `lean` tilts it."""

    canvas: Canvas
    x: float
    y: float
    s: float
    way: int = 1
    lean: float = 0.0

    def at(self, dx: float, dy: float) -> Point:
        """Return the pixel `dx` to the front and `dy` up, in heights."""
        return self.x + self.s * (self.way * dx + self.lean * dy), self.y - self.s * dy

    def polygon(self, points: Sequence[Point], color: Color) -> None:
        """Fill a polygon."""
        self.canvas.polygon([self.at(*point) for point in points], color)

    def line(self, points: Sequence[Point], color: Color, width: float) -> None:
        """Draw a stroke, `width` in heights."""
        self.canvas.line([self.at(*point) for point in points], color, width * self.s)

    def oval(self, dx: float, dy: float, rx: float, ry: float, color: Color) -> None:
        """Fill an upright ellipse."""
        self.canvas.oval(*self.at(dx, dy), rx * self.s, ry * self.s, color)

    def glow(self, dx: float, dy: float, radius: float, color: Color, strength: float) -> None:
        """Lay a soft disc of light or smoke."""
        self.canvas.glow(*self.at(dx, dy), radius * self.s, color, strength)
