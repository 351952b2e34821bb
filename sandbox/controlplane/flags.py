"""The command lines of the three servers."""

from __future__ import annotations

from pathlib import Path

from sandbox.controlplane.keys import Keys
from sandbox.ports import LOOPBACK

_ISSUER = "https://kubernetes.default.svc.cluster.local"
# All that a release touches; what concerns nodes and volumes has nothing to do here, and some of it cannot run.
_CONTROLLERS = (
    "deployment-controller",
    "replicaset-controller",
    "endpointslice-controller",
    "job-controller",
    "cronjob-controller",
    "serviceaccount-controller",
    "namespace-controller",
    "garbage-collector-controller",
    "disruption-controller",
    "horizontal-pod-autoscaler-controller",
    "resourcequota-controller",
    "root-ca-certificate-publisher-controller",
)


def etcd(binary: Path, folder: Path, client_port: int, peer_port: int) -> list[str]:
    """A single member on `folder`/etcd, on new ports each time."""
    client, peer = f"http://{LOOPBACK}:{client_port}", f"http://{LOOPBACK}:{peer_port}"
    return [
        str(binary),
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        # A sandbox's data may be lost with the power; waiting for the disk at every write costs seconds.
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def apiserver(binary: Path, keys: Keys, certs: Path, port: int, etcd_port: int) -> list[str]:
    """Serves https://127.0.0.1:`port` with a certificate that it makes in `certs`."""
    return [
        str(binary),
        f"--etcd-servers=http://{LOOPBACK}:{etcd_port}",
        f"--secure-port={port}",
        f"--bind-address={LOOPBACK}",
        # Without these it looks for the machine's address on a network, which there need not be.
        f"--advertise-address={LOOPBACK}",
        "--endpoint-reconciler-type=none",
        f"--cert-dir={certs}",
        f"--service-account-key-file={keys.verifying_key}",
        f"--service-account-signing-key-file={keys.signing_key}",
        f"--service-account-issuer={_ISSUER}",
        f"--token-auth-file={keys.tokens}",
        "--authorization-mode=RBAC",
        "--enable-priority-and-fairness=false",
        "--profiling=false",
    ]


def controller_manager(binary: Path, keys: Keys, kubeconfig: Path) -> list[str]:
    """The controllers that a release needs."""
    return [
        str(binary),
        f"--kubeconfig={kubeconfig}",
        f"--service-account-private-key-file={keys.signing_key}",
        "--leader-elect=false",
        "--secure-port=0",
        "--kube-api-qps=1000",
        "--kube-api-burst=2000",
        # Else it writes the slices again for every single pod of an upgrade, at 6 % of all that the upgrade costs.
        "--endpointslice-updates-batch-period=100ms",
        f"--controllers={','.join(_CONTROLLERS)}",
        "--profiling=false",
    ]
