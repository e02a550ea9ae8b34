"""What the open-air pictures stand on: sky and its lights, mountains, water, land, street."""

import numpy as np

from retrievals_pipeline.miniature import living
from retrievals_pipeline.miniature.canvas import (
    FOLIAGE,
    GRASS,
    PIGMENTS,
    SNOW,
    Canvas,
    Color,
    Floats,
    cloud_noise,
    mix,
    ridge,
)


def sky(canvas: Canvas, horizon: float, lamp: float) -> None:
    """Paint the sky and its clouds down to `horizon`, brightest about `lamp` (both in shares)."""
    scene, light = canvas.scene, canvas.light
    width, height = canvas.size[0] // 4, canvas.size[1] // 4
    top, low = _pixel(canvas.tint(light.top)), _pixel(canvas.tint(light.low))
    t = np.clip(np.linspace(0, 1 / horizon, height, dtype=np.float32), 0, 1)[:, None, None]
    pixels: Floats = top + (low - top) * t**1.3
    pixels = np.repeat(pixels, width, axis=1)
    across = np.linspace(0, 1, width, dtype=np.float32)[None, :, None] - lamp
    pixels = pixels + (low - pixels) * 0.5 * np.exp(-((across / 0.3) ** 2)) * t
    cover = {"clear": 0.66, "cloudy": 0.46, "misty": 0.6, "stormy": 0.4}[scene.weather]
    noise = cloud_noise(canvas.noise, (width, height), (4, 7), 5)
    share = np.clip((noise - cover) / 0.2, 0, 1)[..., None] * np.clip(1.15 - t * 0.8, 0, 1)
    body = _pixel(canvas.shade((250, 248, 244), 0.12 if scene.weather != "stormy" else 0.0))
    base = _pixel(canvas.shade((120, 122, 136), 0.2))
    if scene.weather == "stormy":
        body, base = body * 0.62, base * 0.5
    lit = np.clip(0.5 + (noise - np.roll(noise, -6, axis=0)) * 3.2, 0, 1)[..., None]
    cloud = base + (body - base) * lit
    canvas.fill(pixels + (cloud - pixels) * share * (0.45 if scene.weather == "misty" else 0.92))


def lights(canvas: Canvas, lamp: tuple[float, float], horizon: float) -> None:
    """Paint stars, moon, sun and birds, where the scene has them; `lamp` is (x, y) in shares."""
    x = lamp[0] * canvas.width
    names = {subject.name for subject in canvas.scene.subjects}
    if canvas.scene.time_of_day == "night" and canvas.scene.weather == "clear":
        for _ in range(70):
            star = (canvas.chance.random() * canvas.width,
                    canvas.chance.random() ** 1.4 * horizon * canvas.height * 0.9)  # fmt: skip
            r = canvas.unit * canvas.chance.uniform(0.0008, 0.0022)
            canvas.oval(*star, r, r, (232, 232, 220))
    if "moon" in names:
        living.moon(canvas, x, lamp[1] * canvas.height)
    if "sun" in names:
        low = 0.3 if canvas.scene.setting == "mountain lake" else 0.62  # above the peaks
        living.sun(canvas, x, horizon * canvas.height * low)
    if "flock of birds" in names:
        living.birds(canvas)


def mountains(canvas: Canvas, y: float) -> None:
    """Paint two ranges that end at the shore `y`."""
    for distance, lift in ((0.62, 0.34), (0.36, 0.24)):
        peaks = 5 if distance > 0.5 else 4
        rock = canvas.shade((96, 102, 124) if distance > 0.5 else (78, 90, 92), distance)
        dark = canvas.shade((70, 76, 104) if distance > 0.5 else (58, 70, 78), distance)
        snow = canvas.shade((248, 248, 250), distance * 0.4)
        for peak in range(peaks):
            x = canvas.width * (peak + canvas.chance.uniform(0.1, 0.9)) / peaks
            rise = canvas.unit * lift * canvas.chance.uniform(0.7, 1.15)
            foot = rise * canvas.chance.uniform(0.9, 1.2)
            bend = x + foot * canvas.chance.uniform(-0.1, 0.15)
            canvas.polygon(((x - foot, y), (x, y - rise), (x + foot, y)), rock)
            canvas.polygon(
                ((x, y - rise), (x + foot, y), (bend, y), (x + foot * 0.1, y - rise * 0.6)), dark
            )
            if distance > 0.5 or canvas.scene.season == "winter":
                canvas.polygon(
                    ((x, y - rise), (x + foot * 0.3, y - rise * 0.7),
                     (x + foot * 0.12, y - rise * 0.74),
                     (x, y - rise * 0.62), (x - foot * 0.1, y - rise * 0.74),
                     (x - foot * 0.3, y - rise * 0.7)), snow,
                )  # fmt: skip
    shore = ridge(canvas, y - canvas.unit * 0.015, canvas.unit * 0.012, 2)
    grass = canvas.shade(mix(GRASS[canvas.scene.season], (60, 90, 70), 0.4), 0.2)
    canvas.polygon([*shore, (canvas.width, y + 4), (0, y + 4)], grass)


def water(canvas: Canvas, y: float, lamp: float) -> None:
    """Paint a sea or a lake below `y`, with the light of a low sun or moon under `lamp`."""
    scene, light = canvas.scene, canvas.light
    deep: Color = (34, 92, 120) if scene.weather != "stormy" else (52, 72, 78)
    near = canvas.shade(deep)
    rows = 24
    for row in range(rows):
        top = y + (canvas.height - y) * row / rows
        tone = mix(mix(canvas.tint(light.low), near, 0.4), near, (row / rows) ** 0.6)
        canvas.draw.rectangle(
            (0, top, canvas.width, top + (canvas.height - y) / rows + 1), fill=tone
        )
    rough = 2.2 if scene.weather == "stormy" else 1.0
    bright = mix(canvas.tint(light.low), near, 0.25)
    dark = mix(near, (12, 18, 34), 0.28)
    for _ in range(520):
        t = canvas.chance.random() ** 1.5
        x, level = canvas.chance.random() * canvas.width, y + (canvas.height - y) * t
        half = canvas.unit * (0.008 + 0.05 * t) * canvas.chance.uniform(0.5, 1.3)
        rise = half * 0.12 * rough
        tone = mix(bright if canvas.chance.random() < 0.55 else dark, near, 0.2 + 0.4 * t)
        points = ((x - half, level), (x, level - rise), (x + half, level + rise * 0.2))
        canvas.line(points, tone, canvas.unit * (0.0012 + 0.006 * t) * rough)
    if scene.weather == "stormy" and scene.setting == "open sea":
        _breakers(canvas, y)
    if {"moon", "sun"} & {subject.name for subject in scene.subjects}:
        _glitter(canvas, y, lamp * canvas.width)


def land(canvas: Canvas, y: float) -> None:
    """Paint rolling ground below `y`, with the flowers of a meadow."""
    grass = GRASS[canvas.scene.season]
    snowy = canvas.scene.season == "winter"
    layers = 3
    _woods(canvas, y + (canvas.height - y) * 0.02)
    for layer in range(layers):
        t = layer / layers
        base = y + (canvas.height - y) * (0.02 + 0.2 * t)
        swing = canvas.unit * (0.05 if canvas.scene.setting == "hills" else 0.022) * (1 - t * 0.5)
        far = 0.5 * (1 - t)
        color = (
            mix(grass, (104, 132, 150), far * 0.6)
            if not snowy
            else mix(grass, (160, 176, 206), far)
        )
        line = ridge(canvas, base, swing, canvas.chance.uniform(0.6, 1.2))
        canvas.polygon([*line, (canvas.width, canvas.height), (0, canvas.height)],
                       canvas.shade(color, far))  # fmt: skip
        area = (0, base + swing, canvas.width, canvas.height)
        canvas.dabs(110, area, mix(color, (250, 240, 180), 0.12), canvas.unit * (0.02 + 0.02 * t))
        canvas.dabs(110, area, mix(color, (30, 50, 50), 0.16), canvas.unit * (0.02 + 0.02 * t))
    if canvas.scene.season in ("spring", "summer") and canvas.scene.setting == "meadow":
        bloom = canvas.chance.choice((PIGMENTS["red"], PIGMENTS["yellow"], PIGMENTS["white"]))
        for _ in range(140):
            t = canvas.chance.random() ** 0.7
            at = (
                canvas.chance.random() * canvas.width,
                y + (canvas.height - y) * (0.45 + 0.55 * t),
            )
            r = canvas.unit * (0.002 + 0.004 * t)
            canvas.oval(*at, r, r * 0.8, canvas.shade(bloom, vary=0.12))


def street(canvas: Canvas, y: float) -> None:
    """Paint a paved street in the foreground."""
    stone = SNOW if canvas.scene.season == "winter" else (176, 158, 134)
    low = y + (canvas.height - y) * 0.42
    canvas.polygon(
        [*ridge(canvas, low, canvas.unit * 0.006, 1), (canvas.width, canvas.height),
         (0, canvas.height)], canvas.shade(stone),
    )  # fmt: skip
    area = (0.0, low + canvas.unit * 0.02, float(canvas.width), float(canvas.height))
    canvas.dabs(200, area, mix(stone, (60, 50, 50), 0.15), canvas.unit * 0.03)
    canvas.dabs(120, area, mix(stone, (255, 250, 230), 0.2), canvas.unit * 0.03)


def _woods(canvas: Canvas, y: float) -> None:
    """Paint a far line of bushes, too small to be counted."""
    leaves = mix(FOLIAGE[canvas.scene.season], (70, 92, 110), 0.35)
    x = -canvas.unit * 0.05
    while x < canvas.width:
        r = canvas.unit * canvas.chance.uniform(0.012, 0.032)
        if canvas.chance.random() < 0.72:
            canvas.oval(x, y - r * 0.3, r * 1.1, r, canvas.shade(leaves, 0.45, 0.06))
        x += r * canvas.chance.uniform(0.7, 1.6)


def _breakers(canvas: Canvas, y: float) -> None:
    foam, dark = canvas.shade((250, 252, 250)), canvas.shade((30, 52, 62))
    for step in range(26):
        t = step / 26
        x = canvas.chance.random() * canvas.width
        level, w = y + (canvas.height - y) * t, canvas.unit * (0.03 + 0.11 * t)
        crest = ((x - w, level), (x - w * 0.4, level - w * 0.16), (x, level - w * 0.34),
                 (x + w * 0.3, level - w * 0.14), (x + w, level + w * 0.03))  # fmt: skip
        canvas.polygon((*crest, (x, level + w * 0.12)), dark)
        canvas.line(crest, foam, w * 0.06)


def _glitter(canvas: Canvas, y: float, x: float) -> None:
    night = canvas.scene.time_of_day == "night"
    color: Color = (226, 228, 214) if night else (255, 220, 140)
    for step in range(90):
        t = (step / 90) ** 1.4
        spread = canvas.unit * (0.02 + 0.09 * t)
        at = x + canvas.chance.gauss(0, 0.6) * spread
        half = canvas.unit * (0.006 + 0.022 * t) * canvas.chance.uniform(0.5, 1.2)
        level = y + (canvas.height - y) * t + 3
        canvas.line(
            ((at - half, level), (at + half, level)), color, canvas.unit * (0.002 + 0.003 * t)
        )


def _pixel(color: Color) -> Floats:
    return np.asarray(color, np.float32)
