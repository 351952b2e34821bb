"""The simulated data plane of Gateway API, its users and its monitoring.

The API server is real; what a gateway's proxy and the people behind it would do is simulated here, from the
HTTPRoutes, Services and EndpointSlices that the API server holds and the pods that the simulated node runs.
"""

from sandbox.gateway.gateway import Gateway

__all__ = ["Gateway"]
