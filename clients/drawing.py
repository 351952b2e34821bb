"""SVG as PNG, for whoever shows no SVG: Slack, for one."""

from __future__ import annotations

from release.errors import Failed

FAMILY = "Source Sans Pro"
# Readable on a telephone and on a fine screen.
_ZOOM = 2.0


def png(svg: str) -> bytes:
    """The picture as a PNG of twice its size, with a font of its own: a server may have none. Blocks for some 0.1 s.

    Variables and media queries of CSS are not known here. Raises Failed for what is no SVG.
    """
    import font_source_sans_pro
    import resvg_py

    fonts = [font_source_sans_pro.font_files_ttf["SourceSansPro"]]
    try:
        drawn = resvg_py.svg_to_bytes(
            svg_string=svg, zoom=_ZOOM, skip_system_fonts=True, font_files=fonts, font_family=FAMILY
        )
    except ValueError as error:
        raise Failed(f"a picture could not be drawn ({error}).") from error
    return bytes(drawn)
