"""One file a probe: a thin `read()` around a pure `parse()`; `registry.PROBES` lists them all."""
