"""The way from a photograph to faces: installs as `df2net_hub.pipelines`."""

if __name__ != "df2net_hub.pipelines":
    raise ImportError("import df2net_hub.pipelines, not the pipelines folder of the checkout")
