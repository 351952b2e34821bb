"""A cluster of the user's (kind, k3d) in place of the sandbox's own control plane."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from kubernetes.aio import client, config

from release.errors import Refused
from sandbox.admin import Admin
from sandbox.api import Api, Manifest

_NAMESPACE = "tidegate-sandbox"
_TOKEN_SECONDS = 30 * 86400
_ADMIN: tuple[Manifest, ...] = (
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}},
    {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "admin", "namespace": _NAMESPACE}},
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": _NAMESPACE},
        "subjects": [{"kind": "ServiceAccount", "name": "admin", "namespace": _NAMESPACE}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    },
)


@dataclass(frozen=True, slots=True)
class UserCluster:
    """`admin` acts as a service account of the sandbox; `host` and `port` are the API server's."""

    admin: Admin
    host: str
    port: int

    def reencrypt(self) -> ssl.SSLContext:
        """For the fault proxies: how to speak to this API server."""
        return ssl.create_default_context(cafile=str(self.admin.ca_file))


async def connect(kubeconfig: Path, folder: Path) -> UserCluster:
    """Use the current context of `kubeconfig`, whose user must be cluster-admin; its CA is copied into `folder`.

    Makes a service account with the cluster-admin role in the namespace `tidegate-sandbox`. Raises Refused for a
    kubeconfig that does not do, Unavailable when the cluster does not answer.
    """
    configuration = client.Configuration()
    try:
        await config.load_kube_config(str(kubeconfig), client_configuration=configuration)
    except (config.ConfigException, OSError) as error:
        raise Refused(f"{kubeconfig}: {error}", field="TIDEGATE_SANDBOX_KUBECONFIG") from error
    if not configuration.ssl_ca_cert:
        raise Refused(
            f"the current context of {kubeconfig} names no certificate authority.",
            field="TIDEGATE_SANDBOX_KUBECONFIG",
            next_step="use a kubeconfig with certificate-authority-data",
        )
    authority = folder / "cluster-ca.crt"
    authority.parent.mkdir(parents=True, exist_ok=True)
    authority.write_bytes(Path(configuration.ssl_ca_cert).read_bytes())
    address = urlsplit(configuration.host)
    bearer = (await configuration.auth_settings()).get("BearerToken", {}).get("value") or ""
    first = Admin(configuration.host, authority, bearer.removeprefix("Bearer "))
    context = ssl.create_default_context(cafile=str(authority))
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    async with Api(first, context=context) as api:
        token = await _token(api)
    return UserCluster(Admin(configuration.host, authority, token), address.hostname or "", address.port or 443)


async def _token(api: Api) -> str:
    for manifest in _ADMIN:
        await api.apply(manifest)
    wanted = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": _TOKEN_SECONDS},
    }
    made = await api.create(f"/api/v1/namespaces/{_NAMESPACE}/serviceaccounts/admin/token", wanted)
    return str(made["status"]["token"])
