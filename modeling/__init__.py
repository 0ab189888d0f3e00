"""The stage networks and the cascade that chains them: installs as `df2net_hub.modeling`."""

if __name__ != "df2net_hub.modeling":
    raise ImportError("import df2net_hub.modeling, not the modeling folder of the checkout")
